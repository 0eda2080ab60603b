#include "buffer.h"
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static isg_status check_size(isg_context *context, int64_t bytes)
{
    if (bytes <= context->max_alloc_bytes)
        return ISG_OK;
    return isg_fail(&context->error, ISG_ERR_MEMORY, "a buffer of %lld KiB is more than %s allows (%lld KiB)",
                    (long long)(bytes >> 10), context->device.name, (long long)(context->max_alloc_bytes >> 10));
}

isg_status isg_buffer_new(isg_context *context, cl_mem *out, cl_mem_flags flags, int64_t bytes)
{
    isg_status st;
    *out = NULL;
    TRY(check_size(context, bytes));
    CL_MAKE(context, *out, clCreateBuffer(context->cl, flags, (size_t)bytes, NULL, &code));
fail:
    return st;
}

isg_status isg_buffer_copy_of(isg_context *context, cl_mem *out, const void *host, int64_t bytes)
{
    isg_status st;
    *out = NULL;
    TRY(check_size(context, bytes));
    CL_MAKE(context, *out,
            clCreateBuffer(context->cl, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, (size_t)bytes, (void *)(uintptr_t)host,
                           &code));
fail:
    return st;
}

isg_status isg_buffer_of_host(isg_context *context, cl_mem *out, cl_mem_flags flags, void *host, int64_t bytes,
                              bool copy)
{
    isg_status st = ISG_OK;
    if (!context->zero_copy) {
        TRY(isg_buffer_new(context, out, flags, bytes));
        if (copy)
            CL_TRY(context, clEnqueueWriteBuffer(context->queue, *out, CL_TRUE, 0, (size_t)bytes, host, 0, NULL, NULL));
        return ISG_OK;
    }
    *out = NULL;
    TRY(check_size(context, bytes));
    CL_MAKE(context, *out, clCreateBuffer(context->cl, flags | CL_MEM_USE_HOST_PTR, (size_t)bytes, host, &code));
    return ISG_OK;
fail:
    isg_buffer_free(out);
    return st;
}

isg_status isg_buffer_to_host(isg_context *context, cl_mem mem, void *host, int64_t bytes)
{
    isg_status st = ISG_OK;
    if (!context->zero_copy) {
        CL_TRY(context, clEnqueueReadBuffer(context->queue, mem, CL_TRUE, 0, (size_t)bytes, host, 0, NULL, NULL));
        return ISG_OK;
    }
    void *mapped;
    CL_MAKE(context, mapped,
            clEnqueueMapBuffer(context->queue, mem, CL_TRUE, CL_MAP_READ, 0, (size_t)bytes, 0, NULL, NULL, &code));
    CL_TRY(context, clEnqueueUnmapMemObject(context->queue, mem, mapped, 0, NULL, NULL));
    CL_TRY(context, clFinish(context->queue));
fail:
    return st;
}

void isg_buffer_free(cl_mem *mem)
{
    if (*mem)
        clReleaseMemObject(*mem);
    *mem = NULL;
}

static void forget_packing(isg_panels *panels)
{
    if (panels->packed)
        clReleaseEvent(panels->packed);
    panels->packed = NULL;
}

// Whether panels hold, or will hold, their points. A command in front of the packing in a caller's queue may have taken
// it down with it.
static bool packed_well(isg_panels *panels)
{
    cl_int status = CL_COMPLETE;
    if (!panels->packed)
        return true;
    if (clGetEventInfo(panels->packed, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL) != CL_SUCCESS ||
        status < 0)
        return false;
    if (status == CL_COMPLETE)
        forget_packing(panels);
    return true;
}

// OpenCL keeps released buffers until the commands that use them are done.
static void free_buffers(isg_panels *panels)
{
    isg_buffer_free(&panels->mem);
    isg_buffer_free(&panels->data);
}

void isg_panels_free(isg_panels *panels)
{
    if (panels->packed)
        clWaitForEvents(1, &panels->packed);
    forget_packing(panels);
    free_buffers(panels);
}

// The extras of the points in the panels, each in `padded` places with zeros around.
static isg_status upload_extras(isg_context *context, isg_panels *panels, size_t element, const void *const *extras,
                                int extra_count, int64_t first, int64_t count, int64_t padded)
{
    isg_status st;
    int64_t bytes = extra_count * padded * (int64_t)element;
    char *all = isg_alloc(extra_count * padded, element);
    if (!all)
        return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for what goes with %lld points", (long long)count);
    for (int e = 0; e < extra_count; e++)
        memcpy(all + (size_t)(e * padded + panels->lead) * element, (const char *)extras[e] + (size_t)first * element,
               (size_t)count * element);
    panels->pitch = (int32_t)padded;
    st = isg_buffer_copy_of(context, &panels->data, all, bytes);
    free(all);
    return st;
}

isg_status isg_panels_pack(isg_context *context, isg_panels *panels, const isg_points *points, const isg_scale *scale,
                           const void *const *extras, int extra_count, int64_t first, int64_t count, int32_t width,
                           int32_t multiple, int32_t lead)
{
    isg_status st;
    isg_chain *chain = context->chain, packing = {0};
    if (panels->mem && panels->first == first && panels->count == count && panels->width == width &&
        panels->multiple == multiple && panels->lead == lead && packed_well(panels))
        return chain && panels->packed ? isg_chain_add(context, chain, panels->packed) : ISG_OK;
    cl_kernel kernel;
    cl_mem rows = NULL;
    int64_t element = (int64_t)isg_dtype_bytes(points->dtype);
    int64_t padded = isg_round_up(lead + count, multiple);
    char options[40];
    snprintf(options, sizeof options, "-D PANEL=%d", (int)width);
    free_buffers(panels);
    context->chain = chain ? &packing : NULL;
    panels->first = first;
    panels->count = count;
    panels->width = width;
    panels->multiple = multiple;
    panels->lead = lead;
    TRY(isg_program_kernel(context, &kernel, "pack.cl", "pack", (isg_real_type){points->dtype, false, 1}, options));
    TRY(isg_buffer_new(context, &panels->mem, CL_MEM_READ_WRITE, padded * points->dims * element));
    char *from = (char *)(uintptr_t)points->rows + first * points->stride * element;
    int64_t bytes = ((count - 1) * points->stride + points->dims) * element;
    if (chain && !context->zero_copy)
        TRY(isg_buffer_copy_of(context, &rows, from, bytes));
    else
        TRY(isg_buffer_of_host(context, &rows, CL_MEM_READ_ONLY, from, bytes, true));
    TRY(isg_run(context, kernel,
                ISG_ARGS(arg_mem(rows), arg_mem(panels->mem), arg_long(points->stride), arg_int(count), arg_int(lead),
                         arg_int(padded), arg_int(points->dims), arg_real(points->dtype, scale->tiny),
                         arg_real(points->dtype, scale->factor1), arg_real(points->dtype, scale->factor2)),
                (isg_range){{padded, 1}, {64, 1}}));
    if (extra_count)
        TRY(upload_extras(context, panels, (size_t)element, extras, extra_count, first, count, padded));
    if (chain)
        TRY(isg_chain_add(context, chain, packing.events[0]));
    else
        TRY(isg_finish(context));
    forget_packing(panels);
fail:
    context->chain = chain;
    if (st && !chain)
        clFinish(context->queue); // memory may be out after the launch, which reads the points
    // Also when the rest failed: what was enqueued reads the points.
    if (packing.begun) {
        forget_packing(panels);
        panels->packed = packing.events[0];
        packing.count = 0;
    }
    isg_chain_free(&packing);
    isg_buffer_free(&rows);
    if (st)
        free_buffers(panels);
    return st;
}
