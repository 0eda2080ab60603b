// Devices and contexts: which OpenCL device computes, what it was found to do, and where programs are cached.
#ifndef ISOGRAM_CONTEXT_H
#define ISOGRAM_CONTEXT_H

#include <isogram/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct isg_context isg_context;

// Fused and unfused arithmetic are two contracts with different bits. AUTO takes fused where a run-time probe proves
// that the device's fma is fused and cheap, else unfused; the verdict is kept per device and driver.
// FUSED on a device whose fma is missing, wrong or very slow goes through an fma of integer operations: slow, and equal
// bits.
typedef enum isg_arithmetic { ISG_ARITHMETIC_AUTO = 0, ISG_ARITHMETIC_FUSED, ISG_ARITHMETIC_UNFUSED } isg_arithmetic;

typedef enum isg_device_class {
    ISG_DEVICE_GPU_DISCRETE = 0,
    ISG_DEVICE_GPU_INTEGRATED,
    ISG_DEVICE_ACCELERATOR,
    ISG_DEVICE_CPU,
    ISG_DEVICE_CLASS_COUNT
} isg_device_class;

// "discrete GPU", …; never NULL.
ISG_API const char *isg_device_class_name(isg_device_class device_class);

// What a device says of itself. Sizes as reported on the day; some drivers change them from hour to hour.
typedef struct isg_device {
    int32_t platform_index; // -1: see opencl.h
    int32_t device_index;
    isg_device_class device_class;
    char name[256];
    char platform[256];
    char vendor[256];
    char version[256];   // of the device's OpenCL
    char c_version[256]; // of the device's OpenCL C
    char driver[256];
    int64_t global_bytes;
    int64_t max_alloc_bytes;
    int64_t local_bytes;
    int64_t max_work_group;
    int32_t compute_units;
    int32_t clock_mhz;
    int32_t lanes_f32;      // vector lanes that suit the device; 1: write scalar code
    int32_t lanes_f64;      // 0: no double precision
    int32_t unified_memory; // 1: host and device share memory, arrays are used where they lie
} isg_device;

// What a device was seen to do. Drivers' own flags are not believed.
typedef struct isg_probe {
    int32_t checked;     // 1: the rest was measured on this device and driver
    int32_t trusted_f32; // 1: elementary functions gave the contract's bits on known inputs
    int32_t trusted_f64;
    int32_t fma_fused_f32; // 1: fma rounds once, subnormal operands and results aside
    int32_t fma_fused_f64;
    int32_t fma_subnormals_f32; // 1: and with subnormal operands and results too
    int32_t fma_subnormals_f64;
    int32_t fma_by_integers_f32; // 1: fused arithmetic goes through integer operations in this context
    int32_t fma_by_integers_f64;
    int32_t contracts;      // 1: the driver fuses a * b + c although contraction is off
    int32_t subnormals_f32; // 1: kept, 0: flushed to zero
    int32_t subnormals_f64;
    int32_t rounds_to_nearest;
    int32_t integers_64; // 1: 64-bit integers are right
    int32_t whole_loops; // 0: a work-item's loops end after 65535 rounds, all taken together (Mesa's llvmpipe): launches
                         // are kept short, operators have at most 1024 columns, filters a radius of 32767, where
                         // elements may be invalid 8191
    double fma_cost_f32; // time of the device's own fma over that of a multiply and an add
    double fma_cost_f64; // 0: not measured
} isg_probe;

typedef struct isg_context_params {
    const char *device; // "auto", "gpu", "cpu", "accelerator", "PLATFORM:DEVICE" or a part of a device's or
                        // platform's name in any case. NULL: the environment's ISOGRAM_DEVICE, else "auto"
    isg_arithmetic arithmetic;
    const char *cache_dir;   // folder for compiled programs; "off": none. NULL: the environment's
                             // ISOGRAM_CACHE_DIR, else $XDG_CACHE_HOME/isogram, else $HOME/.cache/isogram
    int64_t max_alloc_bytes; // no single device buffer grows beyond this. 0: the device's own limit
    isg_log_fn log;          // NULL: silent
    void *log_user;
    isg_error *error; // caller's; filled when isg_context_create fails. May be NULL
} isg_context_params;

#define isg_context_params(...) (&(struct isg_context_params){__VA_ARGS__})

// Chooses a device, probes it unless a verdict for this device and driver is cached, and makes a queue on it.
// A device that fails its probe is passed over under "auto" and the classes, and refused when it was named.
// ISG_ERR_NO_DEVICE: nothing fits; the message lists what there is. *out must be destroyed by the caller.
// ISG_ERR_UNSUPPORTED: also in a process whose parent used OpenCL before fork() (base.h).
ISG_API isg_status isg_context_create(isg_context **out, const isg_context_params *params);

// At once, or with the last of what was made from the context.
ISG_API void isg_context_destroy(isg_context **context);

// The last failure on this context, or a zeroed error; of NULL likewise. Valid until the next call on the context.
ISG_API const isg_error *isg_context_error(const isg_context *context);

ISG_API const isg_device *isg_context_device(const isg_context *context);
// Double precision is probed when it is first used, so that this call may run kernels. Never NULL.
ISG_API const isg_probe *isg_context_probe(isg_context *context);

// The name of the numeric contract that results in this precision obey, such as "isogram-2/f32/fused". Equal names mean
// equal bits for equal input on any device. Never NULL; precision: not DEFAULT.
ISG_API const char *isg_context_contract(isg_context *context, isg_precision precision);

// What one device can do at most, measured now (about 0.5 s): the yardstick for every other figure.
typedef struct isg_limits {
    double fill_bytes_per_s; // writing a large buffer with one value
    double copy_bytes_per_s; // from one large buffer to another: bytes read and bytes written
    double madds_per_s;      // independent multiply-adds in registers, in the contract's arithmetic
} isg_limits;
ISG_API isg_status isg_context_measure(isg_context *context, isg_precision precision, isg_limits *out);

// The devices of this machine, best first as "auto" ranks them. Fills at most `capacity` entries of `out` and stores
// how many there are in *count. No device at all is ISG_OK with *count = 0. ISG_ERR_DEVICE, ISG_ERR_MEMORY: a platform
// or a device does not answer; those that do are told all the same. error: may be NULL.
ISG_API isg_status isg_device_list(isg_device *out, int32_t capacity, int32_t *count, isg_error *error);

#ifdef __cplusplus
}
#endif

#endif
