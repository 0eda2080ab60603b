// OpenCL as this library uses it: version 1.2, calls that report themselves. The only way to CL/cl.h for the rooms
// above.
#ifndef ISG_LIB_CL_H
#define ISG_LIB_CL_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include <isogram/context.h>

// "CL_OUT_OF_RESOURCES" for -5, …; never NULL.
const char *isg_cl_error_name(cl_int code);

// Records a failed call on the context and logs it; gives the status to return.
isg_status isg_cl_fail(isg_context *context, cl_int code, const char *call, const char *file, int line);
#ifdef __clang_analyzer__ // as isg_fail: it is never ISG_OK
#define isg_cl_fail(...) ((void)(isg_cl_fail)(__VA_ARGS__), ISG_ERR_DEVICE)
#endif

// The same of a question about an object that the caller gave: ISG_ERR_ARGUMENT with `refusal` where the answer is that
// it is no such object, and not that the driver has failed.
isg_status isg_cl_refuse(isg_context *context, cl_int code, const char *call, const char *refusal);

// For functions with a `st` to return and a `fail:` label that cleans up.
#define CL_TRY(context, call)                                                                                          \
    do {                                                                                                               \
        cl_int code_ = (call);                                                                                         \
        if (code_ != CL_SUCCESS) {                                                                                     \
            st = isg_cl_fail(context, code_, #call, __FILE__, __LINE__);                                               \
            goto fail;                                                                                                 \
        }                                                                                                              \
    } while (0)

// For OpenCL calls that return an object and store their code in `code`.
#define CL_MAKE(context, object, call)                                                                                 \
    do {                                                                                                               \
        cl_int code = CL_SUCCESS;                                                                                      \
        (object) = (call);                                                                                             \
        if (code != CL_SUCCESS) {                                                                                      \
            (object) = NULL;                                                                                           \
            st = isg_cl_fail(context, code, #call, __FILE__, __LINE__);                                                \
            goto fail;                                                                                                 \
        }                                                                                                              \
    } while (0)

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        st = (call);                                                                                                   \
        if (st)                                                                                                        \
            goto fail;                                                                                                 \
    } while (0)

#endif
