// The numbers that sums over sources are kept in: double ones beside single precision's values, if DOUBLE_SUMS is 1.
#ifndef ISG_CL_SUM_H
#define ISG_CL_SUM_H

#include "lanes.h"

#if DOUBLE_SUMS
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
typedef double sum_scalar;
#if LANES == 1
typedef double sum_real;
#define TO_SUM(k)       ((double)(k))
#define LOAD_SUM(p)     (*(p))
#define STORE_SUM(v, p) (*(p) = (v))
#else
typedef ISG_CAT(double, LANES) sum_real;
#define TO_SUM(k)       ISG_CAT(convert_double, LANES)(k)
#define LOAD_SUM(p)     ISG_CAT(vload, LANES)(0, p)
#define STORE_SUM(v, p) ISG_CAT(vstore, LANES)(v, 0, p)
#endif
#else
typedef scalar sum_scalar;
typedef real sum_real;
#define TO_SUM(k)       (k)
#define LOAD_SUM(p)     LOAD(p)
#define STORE_SUM(v, p) STORE(v, p)
#endif

#define ZERO ((sum_real)(sum_scalar)0)

#endif
