// Status, errors, data types and array views: the words every other header uses.
//
// Rules that hold for the whole library, said once here:
//   - A function that can fail returns an isg_status. Nothing in the library prints, exits or aborts.
//   - Handles are opaque. `create` stores NULL in *out when it fails; `destroy` and `close` take the address of a
//     handle, accept NULL, and set it to NULL.
//   - A context, handle, `out` or required params struct that is NULL is ISG_ERR_ARGUMENT where a status is returned;
//     functions that only tell something then tell 0, NULL or "". Other params may be NULL. A zero field means the
//     default that its comment names.
//   - What is made from a context holds it. They may be destroyed in any order: a context that was destroyed first goes
//     when the last of them does, which may be used until then; its error can no longer be asked for.
//   - One context serves one thread at a time, and so does everything made from it. Different contexts run in
//     parallel. There is no global mutable state, but for the number of the process that asked for devices first.
//   - A failure leaves everything usable: the next call is as good as the first.
//   - Processes: OpenCL does not survive fork(). In a child, calls on what its parent made are ISG_ERR_ARGUMENT, and
//     `destroy` gives back the child's memory without a word to the driver. Where the parent has asked for devices
//     already, isg_context_create and isg_device_list are ISG_ERR_UNSUPPORTED in the child, unless it becomes a new
//     program (exec). A child from before the parent's first context is a process like any other.
//   - Functions of the caller's (progress, log, a certificate's `each`) must not come back to the context that calls
//     them: calls on it and on what was made from it are ISG_ERR_ARGUMENT there, without a message, for that is the
//     outer call's; `destroy` does nothing and leaves the handle. Other contexts may be used.
//   - Shapes and strides count elements; a size in bytes says so in its name.
#ifndef ISOGRAM_BASE_H
#define ISOGRAM_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define ISG_API
#elif defined(__GNUC__)
#define ISG_API __attribute__((visibility("default")))
#else
#define ISG_API
#endif

typedef enum isg_status {
    ISG_OK = 0,
    ISG_ERR_ARGUMENT,    // a parameter is out of its range
    ISG_ERR_SHAPE,       // shapes do not fit each other, or a block leaves its operator
    ISG_ERR_DTYPE,       // an element type that this call does not take
    ISG_ERR_OVERFLOW,    // a size does not fit 64 bits, or memory that cannot be addressed
    ISG_ERR_NONFINITE,   // NaN or infinity in the input; the message names row and column
    ISG_ERR_RANGE,       // finite input that the chosen precision cannot hold
    ISG_ERR_MEMORY,      // the host is out of memory
    ISG_ERR_IO,          // a file could not be read or written
    ISG_ERR_FORMAT,      // a file is not what it should be
    ISG_ERR_NO_DEVICE,   // no OpenCL platform or device, or none that fits the request
    ISG_ERR_UNTRUSTED,   // the device computes something else than the contract; the message says what
    ISG_ERR_UNSUPPORTED, // the device cannot do this (double precision, mostly)
    ISG_ERR_BUILD,       // the device's compiler refused a kernel; the message holds its log
    ISG_ERR_DEVICE,      // an OpenCL call failed; the message names it
    ISG_ERR_CANCELLED,   // the caller's progress function asked to stop
    ISG_ERR_INCOMPLETE,  // a part of a store that is not there yet
    ISG_STATUS_COUNT
} isg_status;

// A constant word for a status, such as "nonfinite"; never NULL.
ISG_API const char *isg_status_name(isg_status status);

// What went wrong, in one line that a person can act on. The first failure of a call is the one kept.
typedef struct isg_error {
    isg_status status;
    char message[1000];
} isg_error;

typedef enum isg_log_level { ISG_LOG_DEBUG, ISG_LOG_INFO, ISG_LOG_WARN, ISG_LOG_ERROR } isg_log_level;

// message: valid during the call only. Called on the thread that uses the context.
typedef void (*isg_log_fn)(void *user, isg_log_level level, const char *message);

// Called between launches with the work done so far, in [0, total]; the unit is the caller's business only as a ratio.
// A non-zero result stops the call, which then returns ISG_ERR_CANCELLED.
typedef int (*isg_progress_fn)(void *user, double done, double total);

typedef enum isg_dtype {
    ISG_DTYPE_NONE = 0,
    ISG_F32,
    ISG_F64,
    ISG_I8,
    ISG_U8,
    ISG_I16,
    ISG_U16,
    ISG_I32,
    ISG_U32,
    ISG_I64,
    ISG_U64,
    ISG_F16, // IEEE binary16, its bits in a uint16_t: to store numbers; nothing computes in it
    ISG_DTYPE_COUNT
} isg_dtype;

// Bytes of one element; 0 for ISG_DTYPE_NONE and unknown values.
ISG_API size_t isg_dtype_bytes(isg_dtype dtype);
// "float32", "int8", …; never NULL.
ISG_API const char *isg_dtype_name(isg_dtype dtype);

// The precision of the arithmetic and of the result. DEFAULT: ISG_F64 when any input array is double or an integer of
// 32 or 64 bits, else ISG_F32; where there is no input array, ISG_F64 if the device has it.
typedef enum isg_precision { ISG_PRECISION_DEFAULT = 0, ISG_PRECISION_F32, ISG_PRECISION_F64 } isg_precision;

enum { ISG_MAX_NDIM = 8 };

// A view of memory that belongs to somebody else. The library only writes through a view that a comment calls output.
// Memory is the host's unless a comment says that a cl_mem will do.
typedef struct isg_array {
    isg_dtype dtype;
    int32_t ndim;                  // 1 … ISG_MAX_NDIM
    int64_t shape[ISG_MAX_NDIM];   // elements along each axis
    int64_t strides[ISG_MAX_NDIM]; // elements (not bytes) from one index to the next on that axis
    void *data;                    // element (0, …, 0) in host memory
    void *mem;                     // NULL: data is host memory. Else a cl_mem (see opencl.h), and data is not read
    int64_t offset;                // with mem: of element (0, …, 0), in elements from the buffer's beginning
} isg_array;

// Row-major views. The const is cast away because one view type serves inputs and outputs.
static inline isg_array isg_matrix(isg_dtype dtype, const void *data, int64_t rows, int64_t columns)
{
    isg_array a = {ISG_DTYPE_NONE, 2, {0}, {0}, NULL, NULL, 0};
    a.dtype = dtype;
    a.shape[0] = rows;
    a.shape[1] = columns;
    a.strides[0] = columns;
    a.strides[1] = 1;
    a.data = (void *)(uintptr_t)data;
    return a;
}

static inline isg_array isg_matrix_f32(const float *data, int64_t rows, int64_t columns)
{
    return isg_matrix(ISG_F32, data, rows, columns);
}

static inline isg_array isg_matrix_f64(const double *data, int64_t rows, int64_t columns)
{
    return isg_matrix(ISG_F64, data, rows, columns);
}

static inline isg_array isg_vector(isg_dtype dtype, const void *data, int64_t count)
{
    isg_array a = isg_matrix(dtype, data, count, 1);
    a.ndim = 1;
    return a;
}

// "major.minor.patch" of the library in use.
ISG_API const char *isg_version(void);

#ifdef __cplusplus
}
#endif

#endif
