// Programs: embedded source + build options -> kernels, kept in memory and on disk; and running a kernel with typed
// arguments.
#ifndef ISG_LIB_PROGRAM_H
#define ISG_LIB_PROGRAM_H

#include "context.h"

// Characters of a kernel's options at most.
enum { ISG_MOST_OPTIONS = 16000 };

// The real type and lanes that a program is built for.
typedef struct isg_real_type {
    isg_dtype dtype;
    bool fused;
    int32_t lanes;
} isg_real_type;

// The kernel `name` of cl/`file`, built with the files it includes. options: further "-D
// NAME=VALUE" texts, or "". The kernel belongs to the context; setting its arguments and running it are one step
// (isg_run).
isg_status isg_program_kernel(isg_context *context, cl_kernel *kernel, const char *file, const char *name,
                              isg_real_type type, const char *options);

// Writes programs that were compiled in this process to the disk cache. To be called when kernels have run: only then
// do the binaries of some drivers hold native code.
void isg_programs_save(isg_context *context);
void isg_programs_free(isg_context *context);
// In a process that was forked: frees the host's memory alone.
void isg_programs_abandon(isg_context *context);
// Drops the programs of one file, unsaved: those that ran once and will not be needed again.
void isg_programs_forget(isg_context *context, const char *file);

// A key for what depends on the device, its driver and this library's version, besides the texts given
// (NULL-terminated). Not known where they are more than 15.
isg_cache_key isg_program_key(const isg_context *context, const char *const *texts);

typedef struct isg_arg {
    size_t bytes;
    union {
        cl_mem mem;
        cl_int i32;
        cl_long i64;
        cl_float f32;
        cl_double f64;
    } value;
} isg_arg;

static inline isg_arg arg_mem(cl_mem mem)
{
    return (isg_arg){sizeof mem, {.mem = mem}};
}

static inline isg_arg arg_int(int64_t value)
{
    return (isg_arg){sizeof(cl_int), {.i32 = (cl_int)value}};
}

static inline isg_arg arg_long(int64_t value)
{
    return (isg_arg){sizeof(cl_long), {.i64 = value}};
}

// A `scalar` of the kernel.
static inline isg_arg arg_real(isg_dtype dtype, double value)
{
    if (dtype == ISG_F64)
        return (isg_arg){sizeof(cl_double), {.f64 = value}};
    return (isg_arg){sizeof(cl_float), {.f32 = (cl_float)value}};
}

// Work-items in two dimensions. `items` is rounded up to whole groups; kernels must leave surplus work-items idle. A
// group is halved until it fits what the device allows for the kernel, so results must not depend on its size.
typedef struct isg_range {
    int64_t items[2];
    int64_t group[2];
} isg_range;

#define ISG_ARGS(...) (const isg_arg[]){__VA_ARGS__}, (int)(sizeof((const isg_arg[]){__VA_ARGS__}) / sizeof(isg_arg))

// Events that the next command has to wait for. Once a command is enqueued, its event takes their place, so that
// commands follow one another and a failure reaches the last one. Zeroed: nothing to wait for.
struct isg_chain {
    cl_event *events; // each retained
    cl_uint count, room;
    bool begun; // the first event is that of a command of this library
};

// Adds an event, which is retained. ISG_ERR_MEMORY.
isg_status isg_chain_add(isg_context *context, isg_chain *chain, cl_event event);
// The events to wait for, as clEnqueue… takes them; makes sure that isg_chain_follow will have room.
isg_status isg_chain_waits(isg_context *context, isg_chain *chain, const cl_event **events, cl_uint *count);
// A command was enqueued: its event, which the chain takes over, is what the next one waits for.
void isg_chain_follow(isg_chain *chain, cl_event event);
void isg_chain_free(isg_chain *chain);

// Enqueues one launch, behind context->chain where there is one, and does not wait.
isg_status isg_run(isg_context *context, cl_kernel kernel, const isg_arg *args, int count, isg_range range);

// Waits for everything enqueued.
isg_status isg_finish(isg_context *context);

#endif
