// OpenCL objects of a caller's own, for tests of contexts around them.
#ifndef ISG_TESTS_THEIRS_H
#define ISG_TESTS_THEIRS_H

#include "device.h"

#include <isogram/opencl.h>

#define cl_ok(call) ck_assert_int_eq(call, CL_SUCCESS)

// What a caller has, on the device that ISOGRAM_DEVICE names.
typedef struct theirs {
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;
} theirs;

theirs theirs_open(void);
// Nobody else may hold any of it by then.
void theirs_close(theirs *t);
cl_context theirs_context(cl_device_id device);
cl_command_queue theirs_queue(cl_context context, cl_device_id device);

// A context around them.
isg_context *theirs_wrap(const theirs *t, int64_t max_alloc_bytes);

// How often one of the caller's objects is held: waits for it to come down to 1, for a while.
cl_uint theirs_context_holds(cl_context object);
cl_uint theirs_queue_holds(cl_command_queue object);
cl_uint theirs_mem_holds(cl_mem object);
cl_uint theirs_event_holds(cl_event object);

cl_mem theirs_buffer(cl_context context, cl_mem_flags flags, size_t bytes, void *host);
// A buffer of `count` numbers of which those from `offset` on are `numbers`, `used` of them; the others, and all
// without numbers, have the fence's byte, 0xa5.
cl_mem theirs_filled(const theirs *t, isg_dtype dtype, int64_t count, int64_t offset, const void *numbers,
                     int64_t used);
// What is in a buffer, to be freed.
void *theirs_read(cl_command_queue queue, cl_mem mem);

// Whether nothing can be enqueued behind an event that is not set, which is then said.
bool theirs_must_wait(const theirs *t);
cl_int theirs_status(cl_event event);

// A call on the context had this status, and its message has `part` in it.
void theirs_says(isg_context *context, isg_status got, isg_status want, const char *part);

#endif
