// isogram: Gaussian grids and Gram matrices on any OpenCL device, the same bits on every one.
//
// From simple to advanced: base.h (errors, arrays), npy.h (files), context.h (a device), grid.h, kernel.h, gram.h,
// apply.h (products), reduce.h, skip.h (points in a better order), store.h (matrices on disk).
// apply.h (products), reduce.h, gradient.h.
// Not here, for it needs CL/cl.h: opencl.h, for programs with an OpenCL context of their own.
#ifndef ISOGRAM_ISOGRAM_H
#define ISOGRAM_ISOGRAM_H

#include <isogram/apply.h>
#include <isogram/base.h>
#include <isogram/context.h>
#include <isogram/convolve.h>
#include <isogram/derived.h>
#include <isogram/filter.h>
#include <isogram/gradient.h>
#include <isogram/gram.h>
#include <isogram/grid.h>
#include <isogram/kernel.h>
#include <isogram/npy.h>
#include <isogram/reduce.h>
#include <isogram/store.h>
#include <isogram/skip.h>
#include <isogram/verify.h>

#endif
