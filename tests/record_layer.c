// An OpenCL layer that writes down every program that the library has built, and says of devices what it is told to.
// For test_kernels_compile.py and test_security.py.
//
//   OPENCL_LAYERS=/path/of/this
//   ISOGRAM_RECORD=FOLDER  gets a file SOURCE.cl for each source, and in the file `builds` a line "SOURCE<TAB>OPTIONS"
//   for
//                          each build
//   ISOGRAM_AS=WORDS       what devices are, separated by commas: gpu; lanes=N, of native vectors in both precisions;
//   c11,
//                          compilers for OpenCL C 1.1
//   ISOGRAM_HOLLOW=1       nothing is built but what devices are probed with: other programs are said to be, and their
//                          kernels do nothing. What is computed is wrong then, and what is asked for the same
//   ISOGRAM_AS_NAME=TEXT   the name, vendor and versions of every device, and the name of every platform
//
// Whatever goes wrong here ends the process, so that no test takes half a record for a whole one.
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl_layer.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t bytes, void *value, size_t *bytes_ret);
EXPORT cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch *target, cl_uint *count_ret,
                                      const cl_icd_dispatch **layer_ret);

static const cl_icd_dispatch *below;
static cl_icd_dispatch dispatch;

static void die(const char *what)
{
    fprintf(stderr, "record_layer: %s\n", what);
    abort();
}

// ---- What is built ----

static const char first_line[] = "#line 1 \"cl/"; // tools/embed.py begins every program so

// FNV-1a of 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
static uint64_t hash_of(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

static int open_in(const char *folder, const char *name, int flags)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
}

static void put(int file, const char *text)
{
    size_t bytes = strlen(text);
    if (file < 0 || write(file, text, bytes) != (ssize_t)bytes || close(file) != 0)
        die("what was built cannot be written down");
}

// The source of a program of the library's, to be freed; NULL of any other, and where it was made from a binary.
static char *source_of(cl_program program)
{
    size_t bytes = 0;
    if (below->clGetProgramInfo(program, CL_PROGRAM_SOURCE, 0, NULL, &bytes) != CL_SUCCESS || bytes < 2)
        return NULL;
    char *source = calloc(bytes + 1, 1);
    if (!source || below->clGetProgramInfo(program, CL_PROGRAM_SOURCE, bytes, source, NULL) != CL_SUCCESS)
        die("a program without a source");
    if (strncmp(source, first_line, strlen(first_line)) == 0)
        return source;
    free(source);
    return NULL;
}

static void record(const char *source, const char *options)
{
    const char *folder = getenv("ISOGRAM_RECORD");
    char name[32], *line;
    if (!folder)
        return;
    snprintf(name, sizeof name, "%016llx.cl", (unsigned long long)hash_of(source));
    int file = open_in(folder, name, O_EXCL);
    if (file >= 0)
        put(file, source);
    if (asprintf(&line, "%s\t%s\n", name, options) < 0)
        die("no memory");
    put(open_in(folder, "builds", O_APPEND), line); // in one piece: processes share the file
    free(line);
}

static bool is_hollow(const char *source)
{
    static const char *const probing[] = {"probe.cl", "functions.cl"};
    bool hollow = getenv("ISOGRAM_HOLLOW") != NULL;
    for (int i = 0; i < 2; i++)
        hollow = hollow && strncmp(source + strlen(first_line), probing[i], strlen(probing[i])) != 0;
    return hollow;
}

static cl_int CL_API_CALL build_program(cl_program program, cl_uint count, const cl_device_id *devices,
                                        const char *options, void(CL_CALLBACK *done)(cl_program, void *), void *user)
{
    char *source = source_of(program);
    bool hollow = source && is_hollow(source);
    if (source)
        record(source, options ? options : "");
    free(source);
    return hollow ? CL_SUCCESS : below->clBuildProgram(program, count, devices, options, done, user);
}

// ---- Kernels that do nothing ----

static char nothing[1];
#define HOLLOW ((cl_kernel)(void *)nothing)

static cl_kernel CL_API_CALL create_kernel(cl_program program, const char *name, cl_int *code)
{
    char *source = source_of(program);
    bool hollow = source && is_hollow(source);
    free(source);
    if (!hollow)
        return below->clCreateKernel(program, name, code);
    if (code)
        *code = CL_SUCCESS;
    return HOLLOW;
}

static cl_int CL_API_CALL release_kernel(cl_kernel kernel)
{
    return kernel == HOLLOW ? CL_SUCCESS : below->clReleaseKernel(kernel);
}

static cl_int CL_API_CALL set_argument(cl_kernel kernel, cl_uint index, size_t bytes, const void *value)
{
    return kernel == HOLLOW ? CL_SUCCESS : below->clSetKernelArg(kernel, index, bytes, value);
}

static cl_int CL_API_CALL launch(cl_command_queue queue, cl_kernel kernel, cl_uint axes, const size_t *offset,
                                 const size_t *global, const size_t *local, cl_uint count, const cl_event *after,
                                 cl_event *event)
{
    if (kernel != HOLLOW)
        return below->clEnqueueNDRangeKernel(queue, kernel, axes, offset, global, local, count, after, event);
    return event ? below->clEnqueueMarkerWithWaitList(queue, count, after, event) : CL_SUCCESS;
}

// ---- What devices are ----

// Whether ISOGRAM_AS has a word; *number: what stands behind its "=".
static bool told(const char *word, long *number)
{
    const char *as = getenv("ISOGRAM_AS");
    const size_t length = strlen(word);
    for (; as && *as; as += strcspn(as, ","), as += *as == ',') {
        if (strncmp(as, word, length) == 0 && strchr("=,", as[length])) {
            *number = as[length] == '=' ? strtol(as + length + 1, NULL, 10) : 0;
            return true;
        }
    }
    return false;
}

static cl_int answer(const void *from, size_t size, size_t bytes, void *value, size_t *bytes_ret)
{
    if (value && bytes < size)
        return CL_INVALID_VALUE;
    if (value)
        memcpy(value, from, size);
    if (bytes_ret)
        *bytes_ret = size;
    return CL_SUCCESS;
}

// A hollow kernel is as large as devices allow.
static cl_int CL_API_CALL kernel_info(cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info info,
                                      size_t bytes, void *value, size_t *bytes_ret)
{
    if (kernel == HOLLOW)
        return info == CL_KERNEL_WORK_GROUP_SIZE ? answer(&(size_t){1024}, sizeof(size_t), bytes, value, bytes_ret)
                                                 : CL_INVALID_VALUE;
    return below->clGetKernelWorkGroupInfo(kernel, device, info, bytes, value, bytes_ret);
}

static cl_int CL_API_CALL device_info(cl_device_id device, cl_device_info info, size_t bytes, void *value,
                                      size_t *bytes_ret)
{
    const char *name = getenv("ISOGRAM_AS_NAME");
    long number = 0;
    if (name && (info == CL_DEVICE_NAME || info == CL_DEVICE_VENDOR || info == CL_DRIVER_VERSION))
        return answer(name, strlen(name) + 1, bytes, value, bytes_ret);
    if (info == CL_DEVICE_TYPE && told("gpu", &number))
        return answer(&(cl_device_type){CL_DEVICE_TYPE_GPU}, sizeof(cl_device_type), bytes, value, bytes_ret);
    if (info == CL_DEVICE_OPENCL_C_VERSION && told("c11", &number))
        return answer("OpenCL C 1.1 ", sizeof "OpenCL C 1.1 ", bytes, value, bytes_ret);
    if ((info == CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT || info == CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE) &&
        told("lanes", &number))
        return answer(&(cl_uint){(cl_uint)number}, sizeof(cl_uint), bytes, value, bytes_ret);
    return below->clGetDeviceInfo(device, info, bytes, value, bytes_ret);
}

static cl_int CL_API_CALL platform_info(cl_platform_id platform, cl_platform_info info, size_t bytes, void *value,
                                        size_t *bytes_ret)
{
    const char *name = getenv("ISOGRAM_AS_NAME");
    if (name && info == CL_PLATFORM_NAME)
        return answer(name, strlen(name) + 1, bytes, value, bytes_ret);
    return below->clGetPlatformInfo(platform, info, bytes, value, bytes_ret);
}

#define LAYER_NAME "isogram record"
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
    dispatch.clBuildProgram = build_program;
    dispatch.clCreateKernel = create_kernel;
    dispatch.clReleaseKernel = release_kernel;
    dispatch.clSetKernelArg = set_argument;
    dispatch.clEnqueueNDRangeKernel = launch;
    dispatch.clGetKernelWorkGroupInfo = kernel_info;
    dispatch.clGetDeviceInfo = device_info;
    dispatch.clGetPlatformInfo = platform_info;
    *layer_ret = &dispatch;
    *count_ret = shared;
    return CL_SUCCESS;
}
