// An OpenCL layer that keeps every memory object until the process ends. For oclgrind.py: a buffer that takes the place
// of one that was released keeps that one's marks of what is uninitialised in Oclgrind 21.10, so that data which the
// host put there is reported.
//
//   OPENCL_LAYERS=/path/of/this
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl_layer.h>

#include <stddef.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t bytes, void *value, size_t *bytes_ret);
EXPORT cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch *target, cl_uint *count_ret,
                                      const cl_icd_dispatch **layer_ret);

static cl_icd_dispatch dispatch;

#define LAYER_NAME "keep_layer"
#include "layer_info.h"

static cl_int CL_API_CALL release_nothing(cl_mem mem)
{
    return mem ? CL_SUCCESS : CL_INVALID_MEM_OBJECT;
}

cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch *target, cl_uint *count_ret,
                               const cl_icd_dispatch **layer_ret)
{
    const cl_uint known = sizeof dispatch / sizeof(void *);
    cl_uint shared = count < known ? count : known;
    if (!target || !count_ret || !layer_ret || shared * sizeof(void *) <= offsetof(cl_icd_dispatch, clReleaseMemObject))
        return CL_INVALID_VALUE;
    memcpy(&dispatch, target, shared * sizeof(void *));
    dispatch.clReleaseMemObject = release_nothing;
    *layer_ret = &dispatch;
    *count_ret = shared;
    return CL_SUCCESS;
}
