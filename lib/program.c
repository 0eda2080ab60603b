#include "program.h"
#include "sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_KERNELS = 8, LONGEST_ID = 600 + ISG_MOST_OPTIONS };

struct isg_program {
    isg_program *next;
    char *id; // file and options: what tells two programs of one context apart
    cl_program program;
    bool unsaved; // compiled here, and not yet in the disk cache
    cl_kernel kernels[MAX_KERNELS];
    const char *names[MAX_KERNELS];
};

const char *isg_source_text(const char *name)
{
    for (const isg_source *s = isg_sources; s->name; s++)
        if (strcmp(s->name, name) == 0)
            return s->text;
    return "";
}

isg_cache_key isg_program_key(const isg_context *context, const char *const *texts)
{
    const isg_device *d = &context->device;
    char platform_version[256] = "";
    if (clGetPlatformInfo(context->platform_id, CL_PLATFORM_VERSION, sizeof platform_version - 1, platform_version,
                          NULL) != CL_SUCCESS)
        return (isg_cache_key){.known = false};
    const char *all[24] = {isg_version(), d->platform, platform_version, d->name,
                           d->vendor,     d->version,  d->c_version,     d->driver};
    for (int at = 8; *texts; at++) {
        if (at == 23) // a key that leaves something out would be another one's, too
            return (isg_cache_key){.known = false};
        all[at] = *texts++;
    }
    return isg_cache_key_of(all);
}

static isg_cache_key key_of(const isg_context *context, const isg_program *p, const char *file)
{
    return isg_program_key(context, (const char *const[]){"program", p->id, isg_source_text(file), NULL});
}

// The id begins with the file's name and a space; what follows are the options.
static const char *options_of(const isg_program *p)
{
    return strchr(p->id, ' ') + 1;
}

static void log_build(isg_context *context, const isg_program *p, isg_log_level level, char *first_lines, size_t bytes)
{
    size_t length = 0;
    first_lines[0] = 0;
    if (clGetProgramBuildInfo(p->program, context->device_id, CL_PROGRAM_BUILD_LOG, 0, NULL, &length) != CL_SUCCESS ||
        length < 2)
        return;
    char *text = calloc(length + 1, 1);
    if (!text)
        return;
    clGetProgramBuildInfo(p->program, context->device_id, CL_PROGRAM_BUILD_LOG, length, text, NULL);
    if (text[strspn(text, " \n\t")])
        isg_context_log(context, level, "compiler, %s: %s", p->id, text);
    snprintf(first_lines, bytes, "%.700s", text);
    for (char *c = first_lines; *c; c++)
        if (*c == '\n')
            *c = ' ';
    free(text);
}

static isg_status build_source(isg_context *context, isg_program *p, const char *file)
{
    isg_status st = ISG_OK;
    const char *text = isg_source_text(file);
    double start = isg_seconds();
    CL_MAKE(context, p->program, clCreateProgramWithSource(context->cl, 1, &text, NULL, &code));
    cl_int built = clBuildProgram(p->program, 1, &context->device_id, options_of(p), NULL, NULL);
    char first_lines[800];
    log_build(context, p, built == CL_SUCCESS ? ISG_LOG_DEBUG : ISG_LOG_ERROR, first_lines, sizeof first_lines);
    if (built != CL_SUCCESS) {
        st = isg_fail(&context->error, ISG_ERR_BUILD, "%s does not compile on %s (%s): %s", file, context->device.name,
                      isg_cl_error_name(built), first_lines);
        goto fail;
    }
    p->unsaved = true;
    isg_context_log(context, ISG_LOG_DEBUG, "compiled %s in %.3f s", p->id, isg_seconds() - start);
    return ISG_OK;
fail:
    return st;
}

// From the disk cache. Anything but success means: compile instead.
static bool load_binary(isg_context *context, isg_program *p, const char *file)
{
    void *blob;
    size_t bytes;
    isg_cache_get(&context->cache, key_of(context, p, file), &blob, &bytes);
    if (!blob)
        return false;
    cl_int state = CL_SUCCESS, code = CL_SUCCESS;
    p->program = clCreateProgramWithBinary(context->cl, 1, &context->device_id, &bytes, (const unsigned char *[]){blob},
                                           &state, &code);
    free(blob);
    if (code == CL_SUCCESS && state == CL_SUCCESS)
        code = clBuildProgram(p->program, 1, &context->device_id, options_of(p), NULL, NULL);
    if (code == CL_SUCCESS && state == CL_SUCCESS)
        return true;
    isg_context_log(context, ISG_LOG_WARN, "the driver refused a cached program (%s); building anew",
                    isg_cl_error_name(code != CL_SUCCESS ? code : state));
    if (p->program)
        clReleaseProgram(p->program);
    p->program = NULL;
    return false;
}

static void free_program(isg_program *p)
{
    for (int i = 0; i < MAX_KERNELS; i++)
        if (p->kernels[i])
            clReleaseKernel(p->kernels[i]);
    if (p->program)
        clReleaseProgram(p->program);
    free(p->id);
    free(p);
}

static isg_status get_program(isg_context *context, isg_program **out, const char *file, isg_real_type type,
                              const char *options)
{
    char id[LONGEST_ID];
    bool wide = type.dtype == ISG_F64;
    snprintf(id, sizeof id, "%s %s-D REAL_BITS=%d -D FUSED=%d -D LANES=%d %s%s", file,
             strcmp(context->device.c_version, "OpenCL C 1.2") >= 0 ? "-cl-std=CL1.2 " : "", wide ? 64 : 32, type.fused,
             (int)type.lanes, type.fused && context->fma_by_integers[wide] ? "-D FMA_BY_INTEGERS=1 " : "", options);
    for (isg_program *p = context->programs; p; p = p->next) {
        if (strcmp(p->id, id) == 0) {
            *out = p;
            return ISG_OK;
        }
    }
    isg_program *p = calloc(1, sizeof *p);
    if (!p || !(p->id = strdup(id))) {
        free(p);
        return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for a program");
    }
    if (!load_binary(context, p, file)) {
        isg_status st = build_source(context, p, file);
        if (st) {
            free_program(p);
            return st;
        }
    }
    p->next = context->programs;
    context->programs = *out = p;
    return ISG_OK;
}

isg_status isg_program_kernel(isg_context *context, cl_kernel *kernel, const char *file, const char *name,
                              isg_real_type type, const char *options)
{
    isg_program *p;
    isg_status st;
    TRY(get_program(context, &p, file, type, options));
    int at = 0;
    while (at < MAX_KERNELS && p->kernels[at] && strcmp(p->names[at], name) != 0)
        at++;
    if (at == MAX_KERNELS)
        return isg_fail(&context->error, ISG_ERR_BUILD, "%s has more kernels than a program holds", file);
    if (!p->kernels[at]) {
        CL_MAKE(context, p->kernels[at], clCreateKernel(p->program, name, &code));
        p->names[at] = name;
    }
    *kernel = p->kernels[at];
    return ISG_OK;
fail:
    return st;
}

// A program has a binary for each device of its context, and the context may be a caller's with several.
static void save(isg_context *context, isg_program *p)
{
    enum { MAX_DEVICES = 64 };
    cl_device_id devices[MAX_DEVICES];
    size_t sizes[MAX_DEVICES] = {0}, bytes = 0;
    unsigned char *blobs[MAX_DEVICES] = {NULL};
    if (clGetProgramInfo(p->program, CL_PROGRAM_DEVICES, sizeof devices, devices, &bytes) != CL_SUCCESS)
        return;
    size_t count = bytes / sizeof *devices;
    int32_t at = isg_device_place(context->device_id, devices, count);
    if (at < 0 ||
        clGetProgramInfo(p->program, CL_PROGRAM_BINARY_SIZES, count * sizeof *sizes, sizes, NULL) != CL_SUCCESS ||
        sizes[at] == 0)
        return;
    blobs[at] = malloc(sizes[at]); // what is NULL is left out
    if (blobs[at] &&
        clGetProgramInfo(p->program, CL_PROGRAM_BINARIES, count * sizeof *blobs, blobs, NULL) == CL_SUCCESS) {
        char file[64];
        snprintf(file, sizeof file, "%.*s", (int)strcspn(p->id, " "), p->id);
        isg_cache_put(&context->cache, key_of(context, p, file), blobs[at], sizes[at]);
    }
    free(blobs[at]);
}

void isg_programs_save(isg_context *context)
{
    for (isg_program *p = context->programs; p && !context->passing; p = p->next) {
        if (p->unsaved && context->cache.folder) {
            save(context, p);
            p->unsaved = false;
        }
    }
}

void isg_programs_abandon(isg_context *context)
{
    while (context->programs) {
        isg_program *p = context->programs;
        context->programs = p->next;
        free(p->id);
        free(p);
    }
}

void isg_programs_free(isg_context *context)
{
    while (context->programs) {
        isg_program *p = context->programs;
        context->programs = p->next;
        free_program(p);
    }
}

void isg_programs_forget(isg_context *context, const char *file)
{
    size_t length = strlen(file);
    for (isg_program **at = &context->programs; *at;) {
        isg_program *p = *at;
        if (strncmp(p->id, file, length) == 0 && p->id[length] == ' ') {
            *at = p->next;
            free_program(p);
        } else {
            at = &p->next;
        }
    }
}

static isg_status chain_reserve(isg_context *context, isg_chain *chain, cl_uint room)
{
    if (chain->room >= room)
        return ISG_OK;
    cl_event *grown = realloc(chain->events, room * sizeof *grown);
    if (!grown)
        return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for a list of events");
    chain->events = grown;
    chain->room = room;
    return ISG_OK;
}

isg_status isg_chain_add(isg_context *context, isg_chain *chain, cl_event event)
{
    isg_status st;
    TRY(chain_reserve(context, chain, chain->count + 1));
    CL_TRY(context, clRetainEvent(event));
    chain->events[chain->count++] = event;
fail:
    return st;
}

isg_status isg_chain_waits(isg_context *context, isg_chain *chain, const cl_event **events, cl_uint *count)
{
    *count = chain->count;
    isg_status st = chain_reserve(context, chain, 1);
    *events = chain->count ? chain->events : NULL; // OpenCL takes no empty list
    return st;
}

void isg_chain_follow(isg_chain *chain, cl_event event)
{
    for (cl_uint i = 0; i < chain->count; i++)
        clReleaseEvent(chain->events[i]);
    chain->events[0] = event;
    chain->count = 1;
    chain->begun = true;
}

void isg_chain_free(isg_chain *chain)
{
    for (cl_uint i = 0; i < chain->count; i++)
        clReleaseEvent(chain->events[i]);
    free(chain->events);
    *chain = (isg_chain){0};
}

isg_status isg_run(isg_context *context, cl_kernel kernel, const isg_arg *args, int count, isg_range range)
{
    isg_status st = ISG_OK;
    const cl_event *waits = NULL;
    cl_uint wait_count = 0;
    cl_event event = NULL;
    size_t global[2], local[2] = {(size_t)range.group[0], (size_t)range.group[1]}, limit = 1;
    // The kernel's own limit, which may be below the device's.
    CL_TRY(context,
           clGetKernelWorkGroupInfo(kernel, context->device_id, CL_KERNEL_WORK_GROUP_SIZE, sizeof limit, &limit, NULL));
    while (local[0] * local[1] > limit && local[0] * local[1] > 1)
        local[local[1] > 1] /= 2;
    for (int a = 0; a < 2; a++)
        global[a] = (size_t)isg_round_up(range.items[a], (int64_t)local[a]);
    for (int i = 0; i < count; i++)
        CL_TRY(context, clSetKernelArg(kernel, (cl_uint)i, args[i].bytes, &args[i].value));
    if (context->chain)
        TRY(isg_chain_waits(context, context->chain, &waits, &wait_count));
    CL_TRY(context, clEnqueueNDRangeKernel(context->queue, kernel, 2, NULL, global, local, wait_count, waits,
                                           context->chain ? &event : NULL));
    if (context->chain)
        isg_chain_follow(context->chain, event);
fail:
    return st;
}

isg_status isg_finish(isg_context *context)
{
    isg_status st = ISG_OK;
    CL_TRY(context, clFinish(context->queue));
fail:
    return st;
}
