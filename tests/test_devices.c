// Devices that are not here: what the list, the ranking and the choice make of any answers that OpenCL may give. The
// four calls that ask for devices are defined here, in the place of the loader's, and answer from tables; a device's
// context is never to be had.
#include "suite.h"

#include "context.h"
#include "device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct made_device {
    const char *name, *extensions, *c_version;
    cl_device_type type;
    cl_ulong unified, memory;
    cl_uint units, clock, lanes;
    cl_int code; // of every question, in the answer's place
    struct made_device *whole;
    struct made_platform *platform;
} made_device;

typedef struct made_platform {
    const char *name; // NULL: it does not say
    cl_int code;
    cl_uint count;
    made_device *devices;
} made_platform;

static struct {
    cl_int code;
    cl_uint count;
    made_platform *platforms;
    cl_int context_code;
    int contexts;
} made;

static const char nothing[] = ""; // an answer of no bytes, not even a text's end

static cl_int answer(const void *value, size_t bytes, size_t room, void *to, size_t *written)
{
    if (written)
        *written = bytes;
    if (to && room < bytes)
        return CL_INVALID_VALUE;
    if (to)
        memcpy(to, value, bytes);
    return CL_SUCCESS;
}

cl_int CL_API_CALL clGetPlatformIDs(cl_uint room, cl_platform_id *platforms, cl_uint *count)
{
    for (cl_uint i = 0; i < made.count && i < room && made.code == CL_SUCCESS; i++)
        platforms[i] = (cl_platform_id)(void *)&made.platforms[i];
    *count = made.count;
    return made.code;
}

cl_int CL_API_CALL clGetPlatformInfo(cl_platform_id id, cl_platform_info what, size_t room, void *to, size_t *written)
{
    const made_platform *platform = (const void *)id;
    if (what != CL_PLATFORM_NAME || !platform->name)
        return CL_INVALID_VALUE;
    return answer(platform->name, strlen(platform->name) + 1, room, to, written);
}

cl_int CL_API_CALL clGetDeviceIDs(cl_platform_id id, cl_device_type type, cl_uint room, cl_device_id *ids,
                                  cl_uint *count)
{
    const made_platform *platform = (const void *)id;
    ck_assert_uint_eq(type, CL_DEVICE_TYPE_ALL);
    for (cl_uint i = 0; i < platform->count && i < room && platform->code == CL_SUCCESS; i++)
        ids[i] = (cl_device_id)(void *)&platform->devices[i];
    *count = platform->count;
    return platform->code;
}

cl_int CL_API_CALL clGetDeviceInfo(cl_device_id id, cl_device_info what, size_t room, void *to, size_t *written)
{
    const made_device *d = (const void *)id;
    const char *text = what == CL_DEVICE_NAME               ? d->name
                       : what == CL_DEVICE_EXTENSIONS       ? d->extensions
                       : what == CL_DEVICE_OPENCL_C_VERSION ? d->c_version
                                                            : "some words";
    if (d->code != CL_SUCCESS)
        return d->code;
    switch (what) {
    case CL_DEVICE_NAME:
    case CL_DEVICE_EXTENSIONS:
    case CL_DEVICE_OPENCL_C_VERSION:
    case CL_DEVICE_VENDOR:
    case CL_DEVICE_VERSION:
    case CL_DRIVER_VERSION:
        return text ? answer(text, text == nothing ? 0 : strlen(text) + 1, room, to, written) : CL_INVALID_VALUE;
    case CL_DEVICE_TYPE: return answer(&d->type, sizeof d->type, room, to, written);
    case CL_DEVICE_HOST_UNIFIED_MEMORY: return answer(&(cl_bool){d->unified != 0}, sizeof(cl_bool), room, to, written);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE: return answer(&d->memory, sizeof d->memory, room, to, written);
    case CL_DEVICE_MAX_COMPUTE_UNITS: return answer(&d->units, sizeof d->units, room, to, written);
    case CL_DEVICE_MAX_CLOCK_FREQUENCY: return answer(&d->clock, sizeof d->clock, room, to, written);
    case CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT:
    case CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE: return answer(&d->lanes, sizeof d->lanes, room, to, written);
    case CL_DEVICE_PARENT_DEVICE: return answer(&d->whole, sizeof d->whole, room, to, written);
    case CL_DEVICE_PLATFORM:
        return d->platform ? answer(&d->platform, sizeof d->platform, room, to, written) : CL_INVALID_DEVICE;
    default: return CL_INVALID_VALUE;
    }
}

cl_context CL_API_CALL clCreateContext(const cl_context_properties *properties, cl_uint count, const cl_device_id *ids,
                                       void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *),
                                       void *user, cl_int *code)
{
    (void)properties, (void)count, (void)ids, (void)notify, (void)user;
    made.contexts++;
    *code = made.context_code;
    return NULL;
}

static void make(made_platform *platforms, cl_uint count)
{
    made.code = CL_SUCCESS;
    made.platforms = platforms;
    made.count = count;
    made.context_code = CL_OUT_OF_RESOURCES;
    made.contexts = 0;
    for (cl_uint p = 0; p < count; p++)
        for (cl_uint d = 0; platforms[p].devices && d < platforms[p].count; d++)
            platforms[p].devices[d].platform = &platforms[p];
}

#define CPU                                                                                                            \
    .type = CL_DEVICE_TYPE_CPU, .unified = 1, .memory = 1 << 30, .units = 4, .clock = 1000, .lanes = 8,                \
    .c_version = "OpenCL C 1.2 made", .extensions = "cl_khr_fp64"
#define GPU                                                                                                            \
    .type = CL_DEVICE_TYPE_GPU, .memory = 1 << 30, .units = 4, .clock = 1000, .lanes = 1,                              \
    .c_version = "OpenCL C 1.2 made", .extensions = "cl_khr_fp64"

// Discrete GPUs, integrated ones, accelerators, CPUs; among equals the faster, then the order of the platforms.
START_TEST(ranking)
{
    made_device first[] = {{.name = "cpu", CPU},
                           {.name = "slow", GPU},
                           {.name = "accelerator", GPU},
                           {.name = "cpu again", CPU}},
                second[] = {{.name = "cpu elsewhere", CPU},
                            {.name = "fast", GPU},
                            {.name = "slowest", GPU},
                            {.name = "integrated", GPU}};
    first[2].type = CL_DEVICE_TYPE_ACCELERATOR;
    second[1].clock = 2000;
    second[2].clock = 500;
    second[3].unified = 1;
    second[3].units = 1000;
    made_platform platforms[] = {{"one", 0, COUNT(first), first}, {"two", 0, COUNT(second), second}};
    static const char *const order[] = {"fast",        "slow", "slowest",   "integrated",
                                        "accelerator", "cpu",  "cpu again", "cpu elsewhere"};
    static const char *const classes[] = {"discrete GPU", "discrete GPU", "discrete GPU", "integrated GPU",
                                          "accelerator",  "CPU",          "CPU",          "CPU"};
    make(platforms, 2);
    isg_device devices[COUNT(order)];
    int32_t count = 0;
    ck_assert_int_eq(isg_device_list(devices, COUNT(order), &count, NULL), ISG_OK);
    ck_assert_int_eq(count, COUNT(order));
    for (size_t i = 0; i < COUNT(order); i++) {
        ck_assert_str_eq(devices[i].name, order[i]);
        ck_assert_str_eq(isg_device_class_name(devices[i].device_class), classes[i]);
    }
    ck_assert(devices[7].platform_index == 1 && devices[7].device_index == 0);
    ck_assert_str_eq(isg_device_class_name(ISG_DEVICE_CLASS_COUNT), "unknown");
    strcpy(devices[2].name, "untouched");
    ck_assert_int_eq(isg_device_list(devices, 2, &count, NULL),
                     ISG_OK); // as many as there is room for, all of them counted
    ck_assert_int_eq(count, COUNT(order));
    ck_assert_str_eq(devices[2].name, "untouched");
}
END_TEST

START_TEST(specs)
{
    static const struct {
        const char *spec;
        isg_device_class class;
        bool taken, name;
    } cases[] = {
        {"auto", ISG_DEVICE_CPU, true, false},          {"AUTO", ISG_DEVICE_ACCELERATOR, true, false},
        {"gpu", ISG_DEVICE_GPU_DISCRETE, true, false},  {"GPU", ISG_DEVICE_GPU_INTEGRATED, true, false},
        {"gpu", ISG_DEVICE_CPU, false, false},          {"cpu", ISG_DEVICE_CPU, true, false},
        {"cpu", ISG_DEVICE_GPU_DISCRETE, false, false}, {"Accelerator", ISG_DEVICE_ACCELERATOR, true, false},
        {"accelerator", ISG_DEVICE_CPU, false, false},  {"3:4", ISG_DEVICE_CPU, true, true},
        {"3:5", ISG_DEVICE_CPU, false, true},           {"2:4", ISG_DEVICE_CPU, false, true},
        {"3:4x", ISG_DEVICE_CPU, false, true},          {"3", ISG_DEVICE_CPU, true, true}, // part of its name
        {"model 3", ISG_DEVICE_CPU, true, true},        {"MAKER", ISG_DEVICE_CPU, true, true},
        {"maker's model", ISG_DEVICE_CPU, false, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        isg_device d = {.name = "Model 3:", .platform = "The Maker's", .platform_index = 3, .device_index = 4};
        d.device_class = cases[i].class;
        ck_assert_msg(isg_spec_matches(cases[i].spec, &d) == cases[i].taken, "%s", cases[i].spec);
        ck_assert_msg(isg_spec_is_name(cases[i].spec) == cases[i].name, "%s", cases[i].spec);
    }
}
END_TEST

// Double precision is an extension's whole name; vectors are as wide as the device says, on GPUs of 16 bytes, and none
// where the compiler is one for OpenCL C 1.1.
START_TEST(lanes)
{
    static const struct {
        const char *extensions, *c_version;
        cl_uint native;
        bool gpu;
        int32_t lanes_f32, lanes_f64;
    } cases[] = {
        {"cl_khr_fp64", "OpenCL C 1.2 ", 8, false, 8, 8},
        {"a cl_khr_fp64 b", "OpenCL C 3.0 x", 16, false, 16, 16},
        {"a cl_khr_fp64", "OpenCL C 2.0", 1, false, 1, 1},
        {"cl_khr_fp64_more xcl_khr_fp64", "OpenCL C 1.2", 4, false, 4, 0},
        {"cl_khr_fp64_more cl_khr_fp64", "OpenCL C 1.2", 4, false, 4, 4},
        {"cl_khr_fp64 cl_khr_fp64", "OpenCL C 1.2", 4, false, 4, 4},
        {"", "OpenCL C 1.2", 5, false, 4, 0},
        {nothing, "OpenCL C 1.2", 4, false, 4, 0},
        {"cl_khr_fp64", "OpenCL C x.2", 8, false, 1, 1},
        {"cl_khr_fp64", "OpenCL C 1", 8, false, 1, 1},
        {"cl_khr_fp64", "OpenCL C 2.x", 8, false, 1, 1},
        {"cl_khr_fp64", "OpenCL C 0.9", 8, false, 1, 1},
        {NULL, "OpenCL C 1.2", 0, false, 1, 0},
        {"cl_khr_fp64", "OpenCL C 1.1", 8, false, 1, 1},
        {"cl_khr_fp64", "something else", 8, false, 1, 1},
        {"cl_khr_fp64", "OpenCL C 1.2", 1, true, 4, 2},
        {"cl_khr_fp64", "OpenCL C 1.0", 1, true, 1, 1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        made_device one = {.name = "one", CPU};
        made_platform platform = {"platform", 0, 1, &one};
        one.extensions = cases[i].extensions;
        one.c_version = cases[i].c_version;
        one.lanes = cases[i].native;
        one.type = cases[i].gpu ? CL_DEVICE_TYPE_GPU : CL_DEVICE_TYPE_CPU;
        make(&platform, 1);
        isg_device device;
        int32_t count;
        ck_assert_int_eq(isg_device_list(&device, 1, &count, NULL), ISG_OK);
        ck_assert_msg(device.lanes_f32 == cases[i].lanes_f32 && device.lanes_f64 == cases[i].lanes_f64,
                      "case %d: %d and %d lanes", (int)i, (int)device.lanes_f32, (int)device.lanes_f64);
    }
}
END_TEST

// Sizes beyond 2^63 are cut down to it; what has no answer is 0 or "?".
START_TEST(strange_answers)
{
    made_device one = {CPU, .name = NULL};
    made_platform platform = {NULL, 0, 1, &one};
    one.memory = UINT64_MAX;
    make(&platform, 1);
    isg_device device;
    int32_t count;
    ck_assert_int_eq(isg_device_list(&device, 1, &count, NULL), ISG_OK);
    ck_assert_str_eq(device.name, "?");
    ck_assert_str_eq(device.platform, "?");
    ck_assert(device.global_bytes == INT64_MAX && device.local_bytes == 0 && device.compute_units == 4);
    // A device that is gone is a candidate, its first code kept; a list leaves it out and says why.
    one.code = CL_DEVICE_NOT_AVAILABLE;
    isg_error error = {ISG_OK, ""};
    ck_assert_int_eq(isg_device_list(&device, 1, &count, &error), ISG_ERR_DEVICE);
    ck_assert_int_eq(count, 0);
    ck_assert_str_eq(error.message, "clGetDeviceInfo failed with CL_DEVICE_NOT_AVAILABLE (-2)");
    // Several, one of them for lack of memory.
    made_device some[] = {{.name = "a", CPU}, {.name = "b", CPU}, {.name = "c", CPU}};
    made_platform several = {"several", 0, COUNT(some), some};
    some[0].code = CL_OUT_OF_HOST_MEMORY;
    some[1].code = CL_DEVICE_NOT_AVAILABLE;
    make(&several, 1);
    isg_error_clear(&error);
    ck_assert_int_eq(isg_device_list(&device, 1, &count, &error), ISG_ERR_MEMORY);
    ck_assert_int_eq(count, 1);
    ck_assert_str_eq(device.name, "c");
    make(&platform, 1);
    isg_candidate *list;
    isg_trouble trouble;
    ck_assert_int_eq(isg_candidates(&list, &count, trouble, NULL), ISG_OK);
    ck_assert(count == 1 && list[0].code == CL_DEVICE_NOT_AVAILABLE && list[0].device.lanes_f64 == 0);
    ck_assert_str_eq(trouble, "");
    free(list);
}
END_TEST

// Platforms that fail are passed over, the first trouble is told; such as have no devices are none.
START_TEST(platforms_that_fail)
{
    made_device one = {.name = "one", CPU}, other = {.name = "other", CPU};
    made_platform platforms[] = {{"empty", CL_DEVICE_NOT_FOUND, 0, NULL},
                                 {"first", 0, 1, &one},
                                 {"none", 0, 0, NULL},
                                 {"broken", CL_OUT_OF_HOST_MEMORY, 0, NULL},
                                 {"worse", CL_INVALID_PLATFORM, 0, NULL},
                                 {"last", 0, 1, &other}};
    isg_candidate *list;
    int32_t count;
    isg_trouble trouble;
    make(platforms, COUNT(platforms));
    ck_assert_int_eq(isg_candidates(&list, &count, trouble, NULL), ISG_OK);
    ck_assert_int_eq(count, 2);
    ck_assert(list[0].device.platform_index == 1 && list[1].device.platform_index == 5);
    ck_assert_str_eq(trouble, "clGetDeviceIDs failed with CL_OUT_OF_HOST_MEMORY (-6)");
    free(list);
    made.code = -1001; // how the loader says that there is no platform
    ck_assert_int_eq(isg_candidates(&list, &count, trouble, NULL), ISG_OK);
    ck_assert(!list && count == 0 && !trouble[0]);
    made.code = -12345;
    ck_assert_int_eq(isg_candidates(&list, &count, trouble, NULL), ISG_OK);
    ck_assert(!list && count == 0);
    ck_assert_str_eq(trouble, "clGetPlatformIDs failed with an unknown OpenCL error (-12345)");
    isg_error error = {ISG_OK, ""};
    isg_context *context;
    ck_assert_int_eq(isg_context_create(&context, isg_context_params(.error = &error, .cache_dir = "off")),
                     ISG_ERR_NO_DEVICE);
    ck_assert_ptr_nonnull(strstr(error.message, "no OpenCL device on this machine: clGetPlatformIDs failed"));
}
END_TEST

// More platforms and devices than there is room for; a message holds as many of them as fit.
START_TEST(crowds)
{
    enum { MANY = 70 };
    static made_device devices[MANY];
    static made_platform platforms[MANY];
    for (int i = 0; i < MANY; i++) {
        devices[i] = (made_device){.name = "a device of some name", CPU};
        platforms[i] = (made_platform){"crowded", 0, MANY, devices};
    }
    make(platforms, MANY);
    isg_candidate *list;
    int32_t count;
    isg_trouble trouble;
    isg_error error = {ISG_OK, ""};
    ck_assert_int_eq(isg_candidates(&list, &count, trouble, NULL), ISG_OK);
    ck_assert_int_eq(count, 64 * 64);
    ck_assert_int_eq(isg_no_device("nothing", list, count, "a trouble", &error), ISG_ERR_NO_DEVICE);
    ck_assert_ptr_nonnull(strstr(error.message, "no OpenCL device fits 'nothing': a trouble; there is: 0:0 a device"));
    free(list);
    // One of theirs beyond the room has no place among them.
    isg_candidate one;
    devices[69].platform = &platforms[69];
    ck_assert_int_eq(isg_candidate_of(&one, (cl_device_id)(void *)&devices[69]), CL_SUCCESS);
    ck_assert(one.device.platform_index == -1 && one.device.device_index == -1);
    devices[3].platform = &platforms[5];
    ck_assert_int_eq(isg_candidate_of(&one, (cl_device_id)(void *)&devices[3]), CL_SUCCESS);
    ck_assert(one.device.platform_index == 5 && one.device.device_index == 3);
    made.code = platforms[5].code = CL_OUT_OF_RESOURCES; // what cannot be asked for lists nothing
    ck_assert_int_eq(isg_candidate_of(&one, (cl_device_id)(void *)&devices[3]), CL_SUCCESS);
    ck_assert(one.device.platform_index == -1 && one.device.device_index == -1);
    devices[3].platform = NULL;
    ck_assert_int_eq(isg_candidate_of(&one, (cl_device_id)(void *)&devices[3]), CL_INVALID_DEVICE);
}
END_TEST

// A part of a device stands where the whole one does.
START_TEST(parts)
{
    made_device whole = {.name = "whole", CPU}, half = {.name = "half", CPU}, quarter = {.name = "quarter", CPU};
    const cl_device_id ids[] = {(cl_device_id)(void *)&whole, (cl_device_id)(void *)&half,
                                (cl_device_id)(void *)&quarter};
    half.whole = &whole;
    quarter.whole = &half;
    ck_assert_ptr_eq(isg_device_parent(ids[2]), ids[1]);
    ck_assert_int_eq(isg_device_place(ids[2], ids, 1), 0);
    ck_assert_int_eq(isg_device_place(ids[2], ids, 3), 2);
    ck_assert_int_eq(isg_device_place(ids[0], ids + 1, 2), -1);
    quarter.code = CL_INVALID_VALUE; // OpenCL 1.1 does not know the question
    ck_assert_ptr_null(isg_device_parent(ids[2]));
}
END_TEST

static void keep_last(void *user, isg_log_level level, const char *message)
{
    if (level == ISG_LOG_WARN)
        snprintf(user, 300, "%s", message);
}

// A class of devices is gone through, best first, passing over those that fail; a device that was named is not left
// for another.
START_TEST(devices_that_fail)
{
    made_device all[] = {{.name = "first", GPU}, {.name = "second", GPU}, {.name = "third", CPU}};
    made_platform platform = {"platform", 0, COUNT(all), all};
    static const struct {
        const char *spec;
        cl_int code;
        isg_status status;
        int contexts;
        const char *says, *log;
    } cases[] = {
        {"auto", CL_OUT_OF_RESOURCES, ISG_ERR_DEVICE, 3, "clCreateContext failed on third with CL_OUT_OF_RESOURCES",
         "passed over third: "},
        {"gpu", CL_OUT_OF_HOST_MEMORY, ISG_ERR_MEMORY, 2, "clCreateContext failed on second with CL_OUT_OF_HOST_MEMORY",
         "passed over second: "},
        {"0:1", CL_OUT_OF_RESOURCES, ISG_ERR_DEVICE, 1, "clCreateContext failed on second", "passed over second: "},
        {"ir", CL_OUT_OF_RESOURCES, ISG_ERR_DEVICE, 1, "clCreateContext failed on first", "passed over first: "},
        {"nothing", CL_OUT_OF_RESOURCES, ISG_ERR_NO_DEVICE, 0, "there is: 0:0 first (discrete GPU), 0:1 second", ""},
    };
    char *kept = getenv("ISOGRAM_DEVICE") ? strdup(getenv("ISOGRAM_DEVICE")) : NULL;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int by_environment = 0; by_environment < 2; by_environment++) {
            char log[300] = "";
            isg_error error = {ISG_OK, ""};
            isg_context *context = (isg_context *)&error;
            make(&platform, 1);
            made.context_code = cases[i].code;
            setenv("ISOGRAM_DEVICE", by_environment ? cases[i].spec : "none of these", 1);
            isg_context_params params = {.device = by_environment ? i % 2 ? "" : NULL : cases[i].spec,
                                         .error = i % 2 || by_environment ? &error : NULL,
                                         .cache_dir = "off",
                                         .log = keep_last,
                                         .log_user = log};
            ck_assert_int_eq(isg_context_create(&context, &params), cases[i].status);
            ck_assert_ptr_null(context);
            ck_assert_int_eq(made.contexts, cases[i].contexts);
            ck_assert_msg(!params.error || strstr(error.message, cases[i].says), "'%s'", error.message);
            ck_assert_msg(strncmp(log, cases[i].log, strlen(cases[i].log)) == 0, "'%s'", log);
        }
    // No name at all is auto, and so are no parameters.
    setenv("ISOGRAM_DEVICE", "", 1);
    isg_context *context;
    make(&platform, 1);
    ck_assert_int_eq(isg_context_create(&context, NULL), ISG_ERR_DEVICE);
    ck_assert_int_eq(made.contexts, 3);
    ck_assert_int_eq(isg_context_create(&context, isg_context_params(.arithmetic = (isg_arithmetic)3)),
                     ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_context_create(&context, isg_context_params(.max_alloc_bytes = -1)), ISG_ERR_ARGUMENT);
    ck_assert_ptr_null(context);
    isg_context_destroy(NULL);
    if (kept)
        setenv("ISOGRAM_DEVICE", kept, 1);
    else
        unsetenv("ISOGRAM_DEVICE");
    free(kept);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {ranking,          specs, lanes, strange_answers, platforms_that_fail, crowds, parts,
                                  devices_that_fail};
    return suite_run(suite_of("devices", tests, COUNT(tests)));
}
