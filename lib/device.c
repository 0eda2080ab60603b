#include "device.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *isg_device_class_name(isg_device_class device_class)
{
    static const char *const names[] = {"discrete GPU", "integrated GPU", "accelerator", "CPU"};
    return (unsigned)device_class < ISG_DEVICE_CLASS_COUNT ? names[device_class] : "unknown";
}

// Keeps the first failure of a question.
static void note_code(isg_candidate *candidate, const char *call, cl_int code)
{
    if (code == CL_SUCCESS || candidate->code != CL_SUCCESS)
        return;
    candidate->code = code;
    candidate->call = call;
}

// Asks a device. Questions that it does not know, of later versions of OpenCL, are no failures.
static bool ask(isg_candidate *candidate, cl_device_info what, size_t bytes, void *value, size_t *bytes_ret)
{
    cl_int code = clGetDeviceInfo(candidate->device_id, what, bytes, value, bytes_ret);
    if (code != CL_INVALID_VALUE)
        note_code(candidate, "clGetDeviceInfo", code);
    return code == CL_SUCCESS;
}

static void device_text(isg_candidate *candidate, cl_device_info what, char *text, size_t bytes)
{
    text[0] = 0;
    if (!ask(candidate, what, bytes - 1, text, NULL))
        snprintf(text, bytes, "?");
    text[bytes - 1] = 0;
    isg_one_line(text); // it goes to terminals, and is a driver's
}

// A number of any width that OpenCL uses; 0 when the device does not say.
static int64_t device_number(isg_candidate *candidate, cl_device_info what)
{
    union {
        cl_uint u32;
        cl_ulong u64;
    } value = {.u64 = 0};
    size_t bytes = 0;
    if (!ask(candidate, what, sizeof value, &value, &bytes))
        return 0;
    uint64_t number = bytes == sizeof(cl_uint) ? value.u32 : value.u64;
    return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

static bool has_extension(isg_candidate *candidate, const char *name)
{
    size_t bytes = 0;
    if (!ask(candidate, CL_DEVICE_EXTENSIONS, 0, NULL, &bytes) || bytes == 0)
        return false;
    char *text = calloc(bytes + 1, 1);
    bool found = false;
    if (!text)
        note_code(candidate, "clGetDeviceInfo", CL_OUT_OF_HOST_MEMORY);
    if (text && ask(candidate, CL_DEVICE_EXTENSIONS, bytes, text, NULL)) {
        size_t length = strlen(name);
        for (char *at = text; !found && (at = strstr(at, name)) != NULL; at += length)
            found = (at == text || at[-1] == ' ') && (at[length] == 0 || at[length] == ' ');
    }
    free(text);
    return found;
}

bool isg_device_has_opencl_c_12(const isg_device *device)
{
    static const char begin[] = "OpenCL C ";
    const char *at = device->c_version + sizeof begin - 1;
    int32_t major, minor;
    if (!isg_begins_with(device->c_version, begin) || !isg_read_digits(&at, &major) || *at++ != '.' ||
        !isg_read_digits(&at, &minor))
        return false;
    return major > 1 || (major == 1 && minor >= 2);
}

// Lanes of the vectors to write code in. GPUs run scalar code on their own lanes, and load and store 16 bytes at once.
// Compilers for OpenCL C 1.1 are old ones, and vector code has crashed them.
static int32_t lanes(const isg_device *device, size_t element, int64_t native)
{
    if (!isg_device_has_opencl_c_12(device))
        return 1;
    if (device->device_class != ISG_DEVICE_CPU)
        return (int32_t)(16 / element);
    for (int32_t width = 16; width > 1; width /= 2)
        if (native >= width)
            return width;
    return 1;
}

static void describe(isg_candidate *candidate)
{
    isg_device *d = &candidate->device;
    cl_int code =
        clGetPlatformInfo(candidate->platform_id, CL_PLATFORM_NAME, sizeof d->platform - 1, d->platform, NULL);
    if (code != CL_INVALID_VALUE) // as of devices
        note_code(candidate, "clGetPlatformInfo", code);
    if (code != CL_SUCCESS)
        snprintf(d->platform, sizeof d->platform, "?");
    isg_one_line(d->platform);
    device_text(candidate, CL_DEVICE_NAME, d->name, sizeof d->name);
    device_text(candidate, CL_DEVICE_VENDOR, d->vendor, sizeof d->vendor);
    device_text(candidate, CL_DEVICE_VERSION, d->version, sizeof d->version);
    device_text(candidate, CL_DEVICE_OPENCL_C_VERSION, d->c_version, sizeof d->c_version);
    device_text(candidate, CL_DRIVER_VERSION, d->driver, sizeof d->driver);
    int64_t type = device_number(candidate, CL_DEVICE_TYPE);
    d->unified_memory = device_number(candidate, CL_DEVICE_HOST_UNIFIED_MEMORY) != 0;
    if (type & CL_DEVICE_TYPE_CPU)
        d->device_class = ISG_DEVICE_CPU;
    else if (type & CL_DEVICE_TYPE_GPU)
        d->device_class = d->unified_memory ? ISG_DEVICE_GPU_INTEGRATED : ISG_DEVICE_GPU_DISCRETE;
    else
        d->device_class = ISG_DEVICE_ACCELERATOR;
    d->global_bytes = device_number(candidate, CL_DEVICE_GLOBAL_MEM_SIZE);
    d->max_alloc_bytes = device_number(candidate, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    d->local_bytes = device_number(candidate, CL_DEVICE_LOCAL_MEM_SIZE);
    d->max_work_group = device_number(candidate, CL_DEVICE_MAX_WORK_GROUP_SIZE);
    d->compute_units = (int32_t)device_number(candidate, CL_DEVICE_MAX_COMPUTE_UNITS);
    d->clock_mhz = (int32_t)device_number(candidate, CL_DEVICE_MAX_CLOCK_FREQUENCY);
    d->lanes_f32 = lanes(d, sizeof(cl_float), device_number(candidate, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT));
    if (has_extension(candidate, "cl_khr_fp64"))
        d->lanes_f64 = lanes(d, sizeof(cl_double), device_number(candidate, CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE));
}

enum {
    MAX_PLATFORMS = 64,
    MAX_DEVICES = 64,
    NO_PLATFORM = -1001 // cl_khr_icd's CL_PLATFORM_NOT_FOUND_KHR
};

// Class first; then what is likely the faster one; then the order of the platforms, so that the choice is stable.
static int by_rank(const void *left, const void *right)
{
    const isg_device *a = &((const isg_candidate *)left)->device, *b = &((const isg_candidate *)right)->device;
    if (a->device_class != b->device_class)
        return a->device_class < b->device_class ? -1 : 1;
    double speed_a = (double)a->compute_units * a->clock_mhz * a->lanes_f32;
    double speed_b = (double)b->compute_units * b->clock_mhz * b->lanes_f32;
    if (speed_a != speed_b)
        return speed_a > speed_b ? -1 : 1;
    return (a->platform_index - b->platform_index) * MAX_DEVICES + a->device_index - b->device_index;
}

// Keeps the first trouble. The loader answers "no platform" with an error code of its own; that is none.
static void note(isg_trouble trouble, const char *call, cl_int code)
{
    if (!trouble[0] && code != CL_DEVICE_NOT_FOUND && code != NO_PLATFORM)
        snprintf(trouble, sizeof(isg_trouble), "%s failed with %s (%d)", call, isg_cl_error_name(code), (int)code);
}

isg_status isg_candidates(isg_candidate **list, int32_t *count, isg_trouble trouble, isg_error *error)
{
    *list = NULL;
    *count = 0;
    trouble[0] = 0;
    // Drivers have threads and open devices that a forked process lacks, and most wait for them without end.
    static atomic_long first_process;
    const long process = (long)getpid();
    long first = 0;
    if (!atomic_compare_exchange_strong(&first_process, &first, process) && first != process)
        return isg_fail(error, ISG_ERR_UNSUPPORTED,
                        "process %ld used OpenCL before fork() and this is its child, where drivers do not work; begin "
                        "a new program (exec), or fork before OpenCL is used",
                        first);
    cl_platform_id platforms[MAX_PLATFORMS];
    cl_uint platform_count = 0;
    cl_int code = clGetPlatformIDs(MAX_PLATFORMS, platforms, &platform_count);
    if (code != CL_SUCCESS) {
        note(trouble, "clGetPlatformIDs", code);
        return ISG_OK;
    }
    if (platform_count > MAX_PLATFORMS)
        platform_count = MAX_PLATFORMS;
    for (cl_uint p = 0; p < platform_count; p++) {
        cl_device_id ids[MAX_DEVICES];
        cl_uint found = 0;
        code = clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, MAX_DEVICES, ids, &found);
        if (code != CL_SUCCESS) {
            note(trouble, "clGetDeviceIDs", code);
            continue;
        }
        if (found > MAX_DEVICES)
            found = MAX_DEVICES;
        if (found == 0)
            continue;
        isg_candidate *grown = realloc(*list, ((size_t)*count + found) * sizeof **list);
        if (!grown) {
            free(*list);
            *list = NULL;
            *count = 0;
            return isg_fail(error, ISG_ERR_MEMORY, "no memory for the list of devices");
        }
        *list = grown;
        for (cl_uint i = 0; i < found; i++) {
            isg_candidate *candidate = &(*list)[(*count)++];
            *candidate = (isg_candidate){.platform_id = platforms[p], .device_id = ids[i]};
            candidate->device.platform_index = (int32_t)p;
            candidate->device.device_index = (int32_t)i;
            describe(candidate);
        }
    }
    if (*count > 1)
        qsort(*list, (size_t)*count, sizeof **list, by_rank);
    return ISG_OK;
}

cl_device_id isg_device_parent(cl_device_id device)
{
    cl_device_id parent = NULL;
    if (clGetDeviceInfo(device, CL_DEVICE_PARENT_DEVICE, sizeof parent, &parent, NULL) != CL_SUCCESS)
        return NULL; // OpenCL 1.1 knows whole devices only
    return parent;
}

int32_t isg_device_place(cl_device_id device, const cl_device_id *list, size_t count)
{
    for (; device; device = isg_device_parent(device))
        for (size_t i = 0; i < count; i++)
            if (list[i] == device)
                return (int32_t)i;
    return -1;
}

// The place of an object in a list, or -1.
static int32_t index_of(const void *const *list, cl_uint count, cl_uint room, const void *one)
{
    for (cl_uint i = 0; i < count && i < room; i++)
        if (list[i] == one)
            return (int32_t)i;
    return -1;
}

cl_int isg_candidate_of(isg_candidate *candidate, cl_device_id id)
{
    cl_platform_id platform, platforms[MAX_PLATFORMS] = {NULL};
    cl_device_id ids[MAX_DEVICES] = {NULL};
    cl_uint count = 0;
    cl_int code = clGetDeviceInfo(id, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL);
    if (code != CL_SUCCESS)
        return code;
    *candidate = (isg_candidate){.platform_id = platform, .device_id = id};
    note_code(candidate, "clGetPlatformIDs", clGetPlatformIDs(MAX_PLATFORMS, platforms, &count));
    candidate->device.platform_index = index_of((const void *const *)platforms, count, MAX_PLATFORMS, platform);
    count = 0;
    note_code(candidate, "clGetDeviceIDs", clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, MAX_DEVICES, ids, &count));
    candidate->device.device_index = index_of((const void *const *)ids, count, MAX_DEVICES, id);
    describe(candidate);
    return CL_SUCCESS;
}

isg_status isg_device_list(isg_device *out, int32_t capacity, int32_t *count, isg_error *error)
{
    isg_error_clear(error);
    isg_candidate *list;
    isg_trouble trouble;
    if (!count || (capacity > 0 && !out))
        return isg_fail(error, ISG_ERR_ARGUMENT, "no place for devices or their number");
    isg_status st = isg_candidates(&list, count, trouble, error);
    int32_t answered = 0;
    bool memory = false;
    for (int32_t i = 0; i < *count; i++) {
        memory = memory || list[i].code == CL_OUT_OF_HOST_MEMORY;
        if (list[i].code != CL_SUCCESS)
            note(trouble, list[i].call, list[i].code);
        else if (answered++ < capacity)
            out[answered - 1] = list[i].device;
    }
    *count = answered;
    free(list);
    return st || !trouble[0] ? st : isg_fail(error, memory ? ISG_ERR_MEMORY : ISG_ERR_DEVICE, "%s", trouble);
}

static bool contains(const char *text, const char *part)
{
    for (; *text; text++)
        if (isg_begins_with(text, part))
            return true;
    return false;
}

static bool indices(const char *spec, int32_t *platform, int32_t *device)
{
    return isg_read_digits(&spec, platform) && *spec++ == ':' && isg_read_digits(&spec, device) && *spec == 0;
}

bool isg_spec_is_name(const char *spec)
{
    return !isg_same_word(spec, "auto") && !isg_same_word(spec, "gpu") && !isg_same_word(spec, "cpu") &&
           !isg_same_word(spec, "accelerator");
}

bool isg_spec_matches(const char *spec, const isg_device *device)
{
    int32_t platform, index;
    if (isg_same_word(spec, "auto"))
        return true;
    if (isg_same_word(spec, "gpu"))
        return device->device_class == ISG_DEVICE_GPU_DISCRETE || device->device_class == ISG_DEVICE_GPU_INTEGRATED;
    if (isg_same_word(spec, "cpu"))
        return device->device_class == ISG_DEVICE_CPU;
    if (isg_same_word(spec, "accelerator"))
        return device->device_class == ISG_DEVICE_ACCELERATOR;
    if (indices(spec, &platform, &index))
        return device->platform_index == platform && device->device_index == index;
    return contains(device->name, spec) || contains(device->platform, spec);
}

isg_status isg_no_device(const char *spec, const isg_candidate *list, int32_t count, const char *trouble,
                         isg_error *error)
{
    const char *colon = trouble[0] ? ": " : "";
    if (count == 0)
        return isg_fail(error, ISG_ERR_NO_DEVICE, "no OpenCL device on this machine%s%s; %s", colon, trouble,
                        "the package pocl-opencl-icd makes the CPU one");
    char known[800] = "";
    size_t at = 0;
    for (int32_t i = 0; i < count && at < sizeof known; i++) {
        const isg_device *d = &list[i].device;
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%d:%d %s (%s)", i ? ", " : "", (int)d->platform_index,
                               (int)d->device_index, d->name, isg_device_class_name(d->device_class));
    }
    return isg_fail(error, ISG_ERR_NO_DEVICE, "no OpenCL device fits '%s'%s%s; there is: %s", spec, colon, trouble,
                    known);
}
