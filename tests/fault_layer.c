// An OpenCL layer between the loader and the driver that fails calls on demand, counts objects, lies and dawdles.
// Loaded by OPENCL_LAYERS=/path/of/this; told what to do through fault_layer.h's functions.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define CL_TARGET_OPENCL_VERSION 120
#define LAYER_NAME               "calls"
#define FAULT_VARIABLE           "ISOGRAM_FAULT_CALLS"
#include "fault_arming.h"

#include <CL/cl_layer.h>

#include <stddef.h>
#include <time.h>

EXPORT cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t bytes, void *value, size_t *bytes_ret);
EXPORT cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch *target, cl_uint *count_ret,
                                      const cl_icd_dispatch **layer_ret);
EXPORT fault_memory_fn fault_memory;
EXPORT fault_delay_fn fault_delay;

static const cl_icd_dispatch *below;
static cl_icd_dispatch dispatch;
static atomic_long buffered, most_buffered, dawdling;

static const char *fault_place(void)
{
    return "-";
}

void fault_memory(long bytes)
{
    atomic_store(&most_buffered, bytes);
}

void fault_delay(long microseconds)
{
    atomic_store(&dawdling, microseconds);
}

// Whether this call is one that fails. Takes its time first, if calls are to.
static int fails(const char *name)
{
    const long most = atomic_load(&dawdling);
    if (most) {
        static atomic_ulong random = 1;
        const unsigned long r = atomic_fetch_add(&random, 0x9e3779b97f4a7c15ul) >> 32;
        nanosleep(&(struct timespec){0, (long)(r % (unsigned long)most) * 1000}, NULL);
    }
    return fault_counted(name);
}

// Whether buffers are larger than a lying driver can bear.
static int overfull(void)
{
    const long most = atomic_load(&most_buffered);
    return most && atomic_load(&buffered) > most;
}

static long bytes_of(cl_mem mem)
{
    size_t bytes = 0;
    cl_uint references = 0;
    below->clGetMemObjectInfo(mem, CL_MEM_REFERENCE_COUNT, sizeof references, &references, NULL);
    below->clGetMemObjectInfo(mem, CL_MEM_SIZE, sizeof bytes, &bytes, NULL);
    return references == 1 ? (long)bytes : 0;
}

// An object more, if there is one.
static void *made(void *object)
{
    if (object)
        atomic_fetch_add(&fault_objects, 1);
    return object;
}

static void made_event(cl_int code, const cl_event *event)
{
    if (code == CL_SUCCESS && event)
        made(*event);
}

// Functions that return a status and are not done when they fail.
#define STATUS(name, code, parameters, arguments)                                                                      \
    static cl_int CL_API_CALL my_##name parameters                                                                     \
    {                                                                                                                  \
        return fails(#name) ? (code) : below->name arguments;                                                          \
    }
// The same of what is done all the same: waits.
#define WAIT(name, parameters, arguments)                                                                              \
    static cl_int CL_API_CALL my_##name parameters                                                                     \
    {                                                                                                                  \
        cl_int code = below->name arguments;                                                                           \
        return fails(#name) ? CL_OUT_OF_RESOURCES : code;                                                              \
    }
// Functions that put a command into a queue, with an event if one is asked for.
#define ENQUEUE(name, parameters, arguments)                                                                           \
    static cl_int CL_API_CALL my_##name parameters                                                                     \
    {                                                                                                                  \
        if (fails(#name))                                                                                              \
            return CL_OUT_OF_RESOURCES;                                                                                \
        if (overfull())                                                                                                \
            return CL_MEM_OBJECT_ALLOCATION_FAILURE;                                                                   \
        cl_int code = below->name arguments;                                                                           \
        made_event(code, event);                                                                                       \
        return code;                                                                                                   \
    }
// Functions that make an object.
#define MAKE(type, name, failure, parameters, arguments)                                                               \
    static type CL_API_CALL my_##name parameters                                                                       \
    {                                                                                                                  \
        if (fails(#name)) {                                                                                            \
            if (code)                                                                                                  \
                *code = (failure);                                                                                     \
            return NULL;                                                                                               \
        }                                                                                                              \
        return made(below->name arguments);                                                                            \
    }
#define RETAIN(name, type)                                                                                             \
    static cl_int CL_API_CALL my_##name(type object)                                                                   \
    {                                                                                                                  \
        if (fails(#name))                                                                                              \
            return CL_OUT_OF_RESOURCES;                                                                                \
        cl_int code = below->name(object);                                                                             \
        if (code == CL_SUCCESS)                                                                                        \
            made(object);                                                                                              \
        return code;                                                                                                   \
    }
#define RELEASE(name, type)                                                                                            \
    static cl_int CL_API_CALL my_##name(type object)                                                                   \
    {                                                                                                                  \
        cl_int code = below->name(object);                                                                             \
        if (code == CL_SUCCESS)                                                                                        \
            atomic_fetch_sub(&fault_objects, 1);                                                                       \
        return fails(#name) ? CL_OUT_OF_RESOURCES : code;                                                              \
    }
// Root devices are not counted: retaining one means nothing.
#define UNCOUNTED(name, type)                                                                                          \
    static cl_int CL_API_CALL my_##name(type object)                                                                   \
    {                                                                                                                  \
        cl_int code = below->name(object);                                                                             \
        return fails(#name) ? CL_OUT_OF_RESOURCES : code;                                                              \
    }

#define INFO_PARAMETERS(type, what) (type object, what info, size_t bytes, void *value, size_t *bytes_ret)
#define INFO_ARGUMENTS              (object, info, bytes, value, bytes_ret)

STATUS(clGetPlatformIDs, CL_OUT_OF_HOST_MEMORY, (cl_uint count, cl_platform_id *list, cl_uint *count_ret),
       (count, list, count_ret))
STATUS(clGetDeviceIDs, CL_OUT_OF_RESOURCES,
       (cl_platform_id platform, cl_device_type type, cl_uint count, cl_device_id *list, cl_uint *count_ret),
       (platform, type, count, list, count_ret))
STATUS(clGetPlatformInfo, CL_OUT_OF_HOST_MEMORY, INFO_PARAMETERS(cl_platform_id, cl_platform_info), INFO_ARGUMENTS)
STATUS(clGetDeviceInfo, CL_OUT_OF_RESOURCES, INFO_PARAMETERS(cl_device_id, cl_device_info), INFO_ARGUMENTS)
STATUS(clGetContextInfo, CL_OUT_OF_RESOURCES, INFO_PARAMETERS(cl_context, cl_context_info), INFO_ARGUMENTS)
STATUS(clGetCommandQueueInfo, CL_OUT_OF_RESOURCES, INFO_PARAMETERS(cl_command_queue, cl_command_queue_info),
       INFO_ARGUMENTS)
STATUS(clGetMemObjectInfo, CL_OUT_OF_RESOURCES, INFO_PARAMETERS(cl_mem, cl_mem_info), INFO_ARGUMENTS)
STATUS(clGetProgramInfo, CL_OUT_OF_RESOURCES, INFO_PARAMETERS(cl_program, cl_program_info), INFO_ARGUMENTS)
STATUS(clGetEventInfo, CL_OUT_OF_RESOURCES, INFO_PARAMETERS(cl_event, cl_event_info), INFO_ARGUMENTS)
STATUS(clGetProgramBuildInfo, CL_OUT_OF_RESOURCES,
       (cl_program program, cl_device_id device, cl_program_build_info info, size_t bytes, void *value,
        size_t *bytes_ret),
       (program, device, info, bytes, value, bytes_ret))
STATUS(clGetKernelWorkGroupInfo, CL_OUT_OF_RESOURCES,
       (cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info info, size_t bytes, void *value,
        size_t *bytes_ret),
       (kernel, device, info, bytes, value, bytes_ret))
STATUS(clSetKernelArg, CL_OUT_OF_RESOURCES, (cl_kernel kernel, cl_uint index, size_t bytes, const void *value),
       (kernel, index, bytes, value))
STATUS(clBuildProgram, CL_OUT_OF_HOST_MEMORY,
       (cl_program program, cl_uint count, const cl_device_id *devices, const char *options,
        void(CL_CALLBACK *done)(cl_program, void *), void *user),
       (program, count, devices, options, done, user))
STATUS(clFlush, CL_OUT_OF_RESOURCES, (cl_command_queue queue), (queue))
WAIT(clFinish, (cl_command_queue queue), (queue))
WAIT(clWaitForEvents, (cl_uint count, const cl_event *events), (count, events))

MAKE(cl_context, clCreateContext, CL_OUT_OF_RESOURCES,
     (const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
      void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *user, cl_int *code),
     (properties, count, devices, notify, user, code))
MAKE(cl_command_queue, clCreateCommandQueue, CL_OUT_OF_RESOURCES,
     (cl_context context, cl_device_id device, cl_command_queue_properties properties, cl_int *code),
     (context, device, properties, code))
MAKE(cl_program, clCreateProgramWithSource, CL_OUT_OF_HOST_MEMORY,
     (cl_context context, cl_uint count, const char **strings, const size_t *lengths, cl_int *code),
     (context, count, strings, lengths, code))
MAKE(cl_program, clCreateProgramWithBinary, CL_INVALID_BINARY,
     (cl_context context, cl_uint count, const cl_device_id *devices, const size_t *lengths,
      const unsigned char **binaries, cl_int *status, cl_int *code),
     (context, count, devices, lengths, binaries, status, code))
MAKE(cl_kernel, clCreateKernel, CL_OUT_OF_RESOURCES, (cl_program program, const char *name, cl_int *code),
     (program, name, code))

static cl_mem CL_API_CALL my_clCreateBuffer(cl_context context, cl_mem_flags flags, size_t bytes, void *host,
                                            cl_int *code)
{
    if (fails("clCreateBuffer")) {
        if (code)
            *code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
        return NULL;
    }
    cl_mem mem = made(below->clCreateBuffer(context, flags, bytes, host, code));
    if (mem)
        atomic_fetch_add(&buffered, (long)bytes);
    return mem;
}

static cl_int CL_API_CALL my_clReleaseMemObject(cl_mem mem)
{
    const long bytes = bytes_of(mem);
    cl_int code = below->clReleaseMemObject(mem);
    if (code == CL_SUCCESS) {
        atomic_fetch_sub(&fault_objects, 1);
        atomic_fetch_sub(&buffered, bytes);
    }
    return fails("clReleaseMemObject") ? CL_OUT_OF_RESOURCES : code;
}

RETAIN(clRetainContext, cl_context)
RETAIN(clRetainCommandQueue, cl_command_queue)
RETAIN(clRetainMemObject, cl_mem)
RETAIN(clRetainEvent, cl_event)
UNCOUNTED(clRetainDevice, cl_device_id)
UNCOUNTED(clReleaseDevice, cl_device_id)
RELEASE(clReleaseContext, cl_context)
RELEASE(clReleaseCommandQueue, cl_command_queue)
RELEASE(clReleaseProgram, cl_program)
RELEASE(clReleaseKernel, cl_kernel)
RELEASE(clReleaseEvent, cl_event)

ENQUEUE(clEnqueueReadBuffer,
        (cl_command_queue queue, cl_mem mem, cl_bool blocking, size_t offset, size_t bytes, void *to, cl_uint count,
         const cl_event *after, cl_event *event),
        (queue, mem, blocking, offset, bytes, to, count, after, event))
ENQUEUE(clEnqueueWriteBuffer,
        (cl_command_queue queue, cl_mem mem, cl_bool blocking, size_t offset, size_t bytes, const void *from,
         cl_uint count, const cl_event *after, cl_event *event),
        (queue, mem, blocking, offset, bytes, from, count, after, event))
#define RECT_PARAMETERS(pointer)                                                                                       \
    (cl_command_queue queue, cl_mem mem, cl_bool blocking, const size_t *origin, const size_t *host_origin,            \
     const size_t *region, size_t row, size_t slice, size_t host_row, size_t host_slice, pointer host, cl_uint count,  \
     const cl_event *after, cl_event *event)
#define RECT_ARGUMENTS                                                                                                 \
    (queue, mem, blocking, origin, host_origin, region, row, slice, host_row, host_slice, host, count, after, event)
ENQUEUE(clEnqueueReadBufferRect, RECT_PARAMETERS(void *), RECT_ARGUMENTS)
ENQUEUE(clEnqueueWriteBufferRect, RECT_PARAMETERS(const void *), RECT_ARGUMENTS)
ENQUEUE(clEnqueueCopyBuffer,
        (cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset, size_t bytes,
         cl_uint count, const cl_event *after, cl_event *event),
        (queue, from, to, from_offset, to_offset, bytes, count, after, event))
ENQUEUE(clEnqueueNDRangeKernel,
        (cl_command_queue queue, cl_kernel kernel, cl_uint dims, const size_t *offset, const size_t *global,
         const size_t *local, cl_uint count, const cl_event *after, cl_event *event),
        (queue, kernel, dims, offset, global, local, count, after, event))
ENQUEUE(clEnqueueMarkerWithWaitList, (cl_command_queue queue, cl_uint count, const cl_event *after, cl_event *event),
        (queue, count, after, event))

static void *CL_API_CALL my_clEnqueueMapBuffer(cl_command_queue queue, cl_mem mem, cl_bool blocking, cl_map_flags flags,
                                               size_t offset, size_t bytes, cl_uint count, const cl_event *after,
                                               cl_event *event, cl_int *code)
{
    if (fails("clEnqueueMapBuffer")) {
        if (code)
            *code = CL_MAP_FAILURE;
        return NULL;
    }
    cl_int status;
    void *mapped = below->clEnqueueMapBuffer(queue, mem, blocking, flags, offset, bytes, count, after, event, &status);
    made_event(status, event);
    if (code)
        *code = status;
    return mapped;
}

static cl_int CL_API_CALL my_clEnqueueUnmapMemObject(cl_command_queue queue, cl_mem mem, void *mapped, cl_uint count,
                                                     const cl_event *after, cl_event *event)
{
    const int failed = fails("clEnqueueUnmapMemObject");
    cl_int code = below->clEnqueueUnmapMemObject(queue, mem, mapped, count, after, failed ? NULL : event);
    if (failed)
        return CL_OUT_OF_RESOURCES;
    made_event(code, event);
    return code;
}

#include "layer_info.h"

cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch *target, cl_uint *count_ret,
                               const cl_icd_dispatch **layer_ret)
{
    const cl_uint known = sizeof dispatch / sizeof(void *);
    cl_uint shared = count < known ? count : known;
    if (!target || !count_ret || !layer_ret ||
        shared * sizeof(void *) <= offsetof(cl_icd_dispatch, clEnqueueMarkerWithWaitList))
        return CL_INVALID_VALUE;
    below = target;
    memcpy(&dispatch, target, shared * sizeof(void *));
#define TAKE(name) dispatch.name = my_##name;
    TAKE(clGetPlatformIDs)
    TAKE(clGetDeviceIDs)
    TAKE(clGetPlatformInfo)
    TAKE(clGetDeviceInfo)
    TAKE(clGetContextInfo)
    TAKE(clGetCommandQueueInfo)
    TAKE(clGetMemObjectInfo)
    TAKE(clGetProgramInfo)
    TAKE(clGetEventInfo)
    TAKE(clGetProgramBuildInfo)
    TAKE(clGetKernelWorkGroupInfo)
    TAKE(clSetKernelArg)
    TAKE(clBuildProgram)
    TAKE(clFlush)
    TAKE(clFinish)
    TAKE(clWaitForEvents)
    TAKE(clCreateContext)
    TAKE(clCreateCommandQueue)
    TAKE(clCreateProgramWithSource)
    TAKE(clCreateProgramWithBinary)
    TAKE(clCreateKernel)
    TAKE(clCreateBuffer)
    TAKE(clReleaseMemObject)
    TAKE(clRetainContext)
    TAKE(clRetainCommandQueue)
    TAKE(clRetainMemObject)
    TAKE(clRetainEvent)
    TAKE(clRetainDevice)
    TAKE(clReleaseDevice)
    TAKE(clReleaseContext)
    TAKE(clReleaseCommandQueue)
    TAKE(clReleaseProgram)
    TAKE(clReleaseKernel)
    TAKE(clReleaseEvent)
    TAKE(clEnqueueReadBuffer)
    TAKE(clEnqueueWriteBuffer)
    TAKE(clEnqueueReadBufferRect)
    TAKE(clEnqueueWriteBufferRect)
    TAKE(clEnqueueCopyBuffer)
    TAKE(clEnqueueNDRangeKernel)
    TAKE(clEnqueueMarkerWithWaitList)
    TAKE(clEnqueueMapBuffer)
    TAKE(clEnqueueUnmapMemObject)
    *layer_ret = &dispatch;
    *count_ret = shared;
    return CL_SUCCESS;
}
