// What every OpenCL layer answers the loader. The includer has CL/cl_layer.h and defines LAYER_NAME.
#ifndef ISG_TESTS_LAYER_INFO_H
#define ISG_TESTS_LAYER_INFO_H

#include <string.h>

cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t bytes, void *value, size_t *bytes_ret)
{
    static const char name[] = LAYER_NAME;
    static const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
    if (what != CL_LAYER_API_VERSION && what != CL_LAYER_NAME)
        return CL_INVALID_VALUE;
    const void *from = what == CL_LAYER_NAME ? (const void *)name : &version;
    size_t size = what == CL_LAYER_NAME ? sizeof name : sizeof version;
    if (value && bytes < size)
        return CL_INVALID_VALUE;
    if (value)
        memcpy(value, from, size);
    if (bytes_ret)
        *bytes_ret = size;
    return CL_SUCCESS;
}

#endif
