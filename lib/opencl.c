// Contexts around what a caller has of OpenCL.
#include "context.h"

#include <isogram/opencl.h>

#include <stdlib.h>

// Whether a device is one of the context's, or part of one.
static isg_status check_device(isg_context *context, cl_context cl, cl_device_id device)
{
    isg_error *error = &context->error;
    size_t bytes = 0;
    if (!cl || !device)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no OpenCL %s was given", cl ? "device" : "context");
    cl_int code = clGetContextInfo(cl, CL_CONTEXT_DEVICES, 0, NULL, &bytes);
    if (code != CL_SUCCESS)
        return isg_cl_refuse(context, code, "clGetContextInfo", "the OpenCL context that was given is none");
    cl_device_id *devices = calloc(1, bytes + sizeof device);
    if (!devices)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for a list of devices");
    bool found = false;
    code = clGetContextInfo(cl, CL_CONTEXT_DEVICES, bytes, devices, NULL);
    if (code == CL_SUCCESS)
        found = isg_device_place(device, devices, bytes / sizeof device) >= 0;
    free(devices);
    if (code != CL_SUCCESS)
        return isg_cl_fail(context, code, "clGetContextInfo", __FILE__, __LINE__);
    return found ? ISG_OK : isg_fail(error, ISG_ERR_ARGUMENT, "the device is not one of the OpenCL context's");
}

// Whether a queue is of this context and device. An out-of-order one is set to NULL.
static isg_status check_queue(isg_context *context, cl_context cl, cl_device_id device, cl_command_queue *queue)
{
    isg_error *error = &context->error;
    cl_context of_context;
    cl_device_id of_device;
    cl_command_queue_properties properties;
    cl_int code = clGetCommandQueueInfo(*queue, CL_QUEUE_CONTEXT, sizeof of_context, &of_context, NULL);
    if (code == CL_SUCCESS)
        code = clGetCommandQueueInfo(*queue, CL_QUEUE_DEVICE, sizeof of_device, &of_device, NULL);
    if (code == CL_SUCCESS)
        code = clGetCommandQueueInfo(*queue, CL_QUEUE_PROPERTIES, sizeof properties, &properties, NULL);
    if (code != CL_SUCCESS)
        return isg_cl_refuse(context, code, "clGetCommandQueueInfo", "the queue that was given is none");
    if (of_context != cl)
        return isg_fail(error, ISG_ERR_ARGUMENT, "the queue belongs to another OpenCL context");
    if (of_device != device)
        return isg_fail(error, ISG_ERR_ARGUMENT, "the queue belongs to another device");
    if (properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) {
        isg_context_log(context, ISG_LOG_INFO, "the queue runs out of order; isogram uses one of its own");
        *queue = NULL;
    }
    return ISG_OK;
}

isg_status isg_context_from_opencl(isg_context **out, cl_context cl, cl_device_id device, cl_command_queue queue,
                                   const isg_context_params *params)
{
    static const isg_context_params defaults;
    params = params ? params : &defaults;
    isg_candidate candidate;
    isg_status st = isg_context_begin(out, params);
    if (st)
        return st;
    isg_context *context = *out;
    *out = NULL;
    TRY(check_device(context, cl, device));
    if (queue)
        TRY(check_queue(context, cl, device, &queue));
    cl_int code = isg_candidate_of(&candidate, device);
    if (code != CL_SUCCESS) {
        st = isg_cl_refuse(context, code, "clGetDeviceInfo", "the device that was given is none");
        goto fail;
    }
    TRY(isg_context_open(context, &candidate, cl, queue));
fail:
    return isg_context_end(out, context, params, st);
}

cl_context isg_context_cl_context(const isg_context *context)
{
    return context ? context->cl : NULL;
}

cl_device_id isg_context_cl_device(const isg_context *context)
{
    return context ? context->device_id : NULL;
}

cl_command_queue isg_context_cl_queue(const isg_context *context)
{
    return context ? context->queue : NULL;
}
