#include "theirs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

cl_context theirs_context(cl_device_id device)
{
    cl_int code;
    cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
    cl_ok(code);
    return context;
}

cl_command_queue theirs_queue(cl_context context, cl_device_id device)
{
    cl_int code;
    cl_command_queue queue = clCreateCommandQueue(context, device, 0, &code);
    cl_ok(code);
    return queue;
}

theirs theirs_open(void)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    theirs t = {.device = isg_context_cl_device(context)};
    ck_assert_ptr_nonnull(isg_context_cl_context(context));
    ck_assert_ptr_nonnull(isg_context_cl_queue(context));
    isg_context_destroy(&context);
    t.context = theirs_context(t.device);
    t.queue = theirs_queue(t.context, t.device);
    return t;
}

// How often one of the caller's objects is held. PoCL lets go of what commands held a moment after they are done, so
// this waits for the count to come down to 1, for a while.
#define HOLDS(name, type, query, what)                                                                                 \
    cl_uint name(type object)                                                                                          \
    {                                                                                                                  \
        cl_uint count = 0;                                                                                             \
        for (int i = 0; i < 5000 && count != 1; i++) {                                                                 \
            if (i > 0)                                                                                                 \
                usleep(1000);                                                                                          \
            cl_ok(query(object, what, sizeof count, &count, NULL));                                                    \
        }                                                                                                              \
        return count;                                                                                                  \
    }
HOLDS(theirs_context_holds, cl_context, clGetContextInfo, CL_CONTEXT_REFERENCE_COUNT)
HOLDS(theirs_queue_holds, cl_command_queue, clGetCommandQueueInfo, CL_QUEUE_REFERENCE_COUNT)
HOLDS(theirs_mem_holds, cl_mem, clGetMemObjectInfo, CL_MEM_REFERENCE_COUNT)
HOLDS(theirs_event_holds, cl_event, clGetEventInfo, CL_EVENT_REFERENCE_COUNT)

// Buffers and events hold the context, so it also tells of those that somebody still has.
void theirs_close(theirs *t)
{
    cl_ok(clFinish(t->queue));
    ck_assert_uint_eq(theirs_queue_holds(t->queue), 1);
    cl_ok(clReleaseCommandQueue(t->queue));
    ck_assert_uint_eq(theirs_context_holds(t->context), 1);
    cl_ok(clReleaseContext(t->context));
}

isg_context *theirs_wrap(const theirs *t, int64_t max_alloc_bytes)
{
    isg_error error = {ISG_OK, ""};
    isg_context *context;
    isg_status st = isg_context_from_opencl(
        &context, t->context, t->device, t->queue,
        isg_context_params(.cache_dir = "off", .max_alloc_bytes = max_alloc_bytes, .error = &error));
    ck_assert_msg(st == ISG_OK, "%s", error.message);
    return context;
}

cl_mem theirs_buffer(cl_context context, cl_mem_flags flags, size_t bytes, void *host)
{
    cl_int code;
    cl_mem mem = clCreateBuffer(context, flags, bytes, host, &code);
    cl_ok(code);
    return mem;
}

// A buffer of `count` numbers of which those from `offset` on are `numbers`; the others, and all without numbers, have
// the fence's byte.
cl_mem theirs_filled(const theirs *t, isg_dtype dtype, int64_t count, int64_t offset, const void *numbers, int64_t used)
{
    size_t element = isg_dtype_bytes(dtype), bytes = (size_t)count * element;
    char *host = malloc(bytes);
    ck_assert_ptr_nonnull(host);
    memset(host, 0xa5, bytes);
    if (numbers)
        memcpy(host + (size_t)offset * element, numbers, (size_t)used * element);
    cl_mem mem = theirs_buffer(t->context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, bytes, host);
    free(host);
    return mem;
}

void *theirs_read(cl_command_queue queue, cl_mem mem)
{
    size_t bytes;
    cl_ok(clGetMemObjectInfo(mem, CL_MEM_SIZE, sizeof bytes, &bytes, NULL));
    void *host = malloc(bytes);
    ck_assert_ptr_nonnull(host);
    cl_ok(clEnqueueReadBuffer(queue, mem, CL_TRUE, 0, bytes, host, 0, NULL, NULL));
    return host;
}

// Oclgrind runs a queue when it is flushed, and so waits for an event that is not set yet; on OpenCL 1.1 isogram does.
bool theirs_must_wait(const theirs *t)
{
    char name[100] = "", version[100] = "";
    cl_platform_id platform;
    cl_ok(clGetDeviceInfo(t->device, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL));
    clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name - 1, name, NULL);
    clGetDeviceInfo(t->device, CL_DEVICE_VERSION, sizeof version - 1, version, NULL);
    if (strcmp(name, "Oclgrind") != 0 && strncmp(version, "OpenCL 1.1", 10) != 0)
        return false;
    printf("skipped: nothing can be enqueued behind an event that is not set: %s, %s\n", name, version);
    return true;
}

cl_int theirs_status(cl_event event)
{
    cl_int status;
    cl_ok(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL));
    return status;
}

void theirs_says(isg_context *context, isg_status got, isg_status want, const char *part)
{
    const isg_error *e = isg_context_error(context);
    ck_assert_msg(got == want && strstr(e->message, part), "status %s, where '%s' is wanted: %s", isg_status_name(got),
                  part, e->message);
}
