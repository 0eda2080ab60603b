// What a device can do at most, from inside: the measurements that limits of a context and of an operator share. (No
// header may be called limits.h: it would hide the C one.)
#ifndef ISG_LIB_DEVICE_LIMITS_H
#define ISG_LIB_DEVICE_LIMITS_H

#include "program.h"

// In the device's own vectors, whatever the type's lanes are.
isg_status isg_measure_fill(isg_context *context, isg_real_type type, double *bytes_per_s);

// Seconds of one round of a kernel whose argument `at` is the number of rounds: the best of several launches that are
// long enough to be timed. The kernel works in registers.
isg_status isg_measure_rounds(isg_context *context, cl_kernel kernel, isg_arg *args, int count, int at, isg_range range,
                              double *seconds);

// Work-items that keep all of a device busy.
int64_t isg_busy_items(const isg_context *context);

#endif
