// For programs that have OpenCL of their own: a context on their device and queue, arrays in their buffers, and tiles
// that are enqueued between their commands. The only header that needs CL/cl.h, so isogram.h leaves it out.
//
// Ownership: what is handed in is retained as long as it is needed and released again; what accessors give belongs to
// the isg_context. Threads: an isg_context and all that is made from it serve one thread at a time, as ever. The cl_
// objects themselves may be used by other threads meanwhile.
#ifndef ISOGRAM_OPENCL_H
#define ISOGRAM_OPENCL_H

#include <CL/cl.h>

#include <isogram/context.h>
#include <isogram/gram.h>

#ifdef __cplusplus
extern "C" {
#endif

// A context on the caller's device: probed, checked and cached as by isg_context_create.
// queue: an in-order queue, which isogram then shares, so that a call here sees what was enqueued before it. NULL or a
// queue that runs out of order: isogram makes an in-order queue of its own on the same context and device, and events
// are what orders its work and the caller's.
// params: may be NULL; device is not read. params->error is filled on failure.
// ISG_ERR_ARGUMENT: a device that is not of the context, or a queue of another context or device. ISG_ERR_UNTRUSTED:
// the device failed its self-check.
// All three are retained until the context goes (isg_context_destroy), so that the caller may release them at once. Of
// a device that its platform does not list (a part made by clCreateSubDevices), isg_context_device()->device_index is
// -1.
ISG_API isg_status isg_context_from_opencl(isg_context **out, cl_context context, cl_device_id device,
                                           cl_command_queue queue, const isg_context_params *params);

// What any isg_context works on; valid until it is destroyed, and not retained for the caller. The queue is in order.
ISG_API cl_context isg_context_cl_context(const isg_context *context);
ISG_API cl_device_id isg_context_cl_device(const isg_context *context);
ISG_API cl_command_queue isg_context_cl_queue(const isg_context *context);

// Row-major views of a buffer of the isg_context's cl_context. offset: of element (0, 0), in elements from the buffer's
// beginning. A view that leaves its buffer is ISG_ERR_SHAPE, a buffer of another cl_context ISG_ERR_ARGUMENT.
//
// Taken as points x and y of isg_gram_create, any strides: read once, there and then, after what is in the
// isg_context's queue. Later writes to the buffer change nothing; it is retained until isg_gram_destroy. Taken as K by
// isg_gram_tile, isg_gram_dense and isg_gram_tile_enqueue: kernels write to the buffer itself. It must not be
// CL_MEM_READ_ONLY, nor overlap the points. Taken as V, OUT and their like by isg_gram_apply and isg_gram_reduce, any
// strides: read and written by way of the host, before the call returns.
static inline isg_array isg_matrix_mem(isg_dtype dtype, cl_mem mem, int64_t offset, int64_t rows, int64_t columns)
{
    isg_array a = isg_matrix(dtype, NULL, rows, columns);
    a.mem = mem;
    a.offset = offset;
    return a;
}

// As isg_gram_tile, but returns when the work is enqueued on the isg_context's queue and flushed. Nothing waits for the
// caller's commands; a kernel that is new to the context is compiled first.
// k: a view made by isg_matrix_mem (or with longer rows), written by the time that the event completes.
// wait_list: wait_count events of the same cl_context, waited for before the first write to K. May be NULL with 0.
// done: may be NULL; else *done becomes an event of everything that this call enqueued, the caller's to release with
// clReleaseEvent. When an event of wait_list fails, *done fails and K is left alone.
// The progress function is not called. The points must stay as they are until the event completes; isg_gram_destroy
// waits for it. Launches are as short as those of isg_gram_tile; how fast the device is, is known from earlier calls of
// that on the same operator, and assumed to be slow without them.
// ISG_ERR_ARGUMENT: k is host memory; an event is NULL, of another context (the message names its index) or has failed.
// On failure *done is NULL. Errors of arguments enqueue nothing. When OpenCL fails on the way, the content of K is
// unspecified and launches may still be under way: clFinish(isg_context_cl_queue(…)) waits for them, and
// isg_gram_destroy does.
// On a device of OpenCL 1.1 the call waits for the wait_list and for what is in the queue before it enqueues.
ISG_API isg_status isg_gram_tile_enqueue(isg_gram *gram, int64_t row, int64_t col, isg_array k, cl_uint wait_count,
                                         const cl_event *wait_list, cl_event *done);

#ifdef __cplusplus
}
#endif

#endif
