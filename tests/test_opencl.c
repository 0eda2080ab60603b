// A caller's OpenCL objects: contexts around them, arrays in their buffers, tiles between their commands. The bits are
// those of host arrays, bad objects are refused, and nothing keeps a reference.
#include "device.h"
#include "points.h"

#include <isogram/convolve.h>
#include <isogram/derived.h>
#include <isogram/opencl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define cl_ok(call) ck_assert_int_eq(call, CL_SUCCESS)

// What a caller has of its own, on the device that ISOGRAM_DEVICE names.
typedef struct theirs {
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;
} theirs;

static cl_context new_context(cl_device_id device)
{
    cl_int code;
    cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
    cl_ok(code);
    return context;
}

static cl_command_queue new_queue(cl_context context, cl_device_id device)
{
    cl_int code;
    cl_command_queue queue = clCreateCommandQueue(context, device, 0, &code);
    cl_ok(code);
    return queue;
}

static theirs theirs_open(void)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    theirs t = {.device = isg_context_cl_device(context)};
    ck_assert_ptr_nonnull(isg_context_cl_context(context));
    ck_assert_ptr_nonnull(isg_context_cl_queue(context));
    isg_context_destroy(&context);
    t.context = new_context(t.device);
    t.queue = new_queue(t.context, t.device);
    return t;
}

// How often one of the caller's objects is held. PoCL lets go of what commands held a moment after they are done, so
// this waits for the count to come down to 1, for a while.
#define HOLDS(name, type, query, what)                                                                                 \
    static cl_uint name(type object)                                                                                   \
    {                                                                                                                  \
        cl_uint count = 0;                                                                                             \
        for (int i = 0; i < 5000 && count != 1; i++) {                                                                 \
            if (i > 0)                                                                                                 \
                usleep(1000);                                                                                          \
            cl_ok(query(object, what, sizeof count, &count, NULL));                                                    \
        }                                                                                                              \
        return count;                                                                                                  \
    }
HOLDS(context_holds, cl_context, clGetContextInfo, CL_CONTEXT_REFERENCE_COUNT)
HOLDS(queue_holds, cl_command_queue, clGetCommandQueueInfo, CL_QUEUE_REFERENCE_COUNT)
HOLDS(mem_holds, cl_mem, clGetMemObjectInfo, CL_MEM_REFERENCE_COUNT)
HOLDS(event_holds, cl_event, clGetEventInfo, CL_EVENT_REFERENCE_COUNT)

// Buffers and events hold the context, so it also tells of those that somebody still has.
static void theirs_close(theirs *t)
{
    cl_ok(clFinish(t->queue));
    ck_assert_uint_eq(queue_holds(t->queue), 1);
    cl_ok(clReleaseCommandQueue(t->queue));
    ck_assert_uint_eq(context_holds(t->context), 1);
    cl_ok(clReleaseContext(t->context));
}

static isg_context *wrap(const theirs *t, int64_t max_alloc_bytes)
{
    isg_error error = {ISG_OK, ""};
    isg_context *context;
    isg_status st = isg_context_from_opencl(
        &context, t->context, t->device, t->queue,
        isg_context_params(.cache_dir = "off", .max_alloc_bytes = max_alloc_bytes, .error = &error));
    ck_assert_msg(st == ISG_OK, "%s", error.message);
    return context;
}

static cl_mem new_buffer(cl_context context, cl_mem_flags flags, size_t bytes, void *host)
{
    cl_int code;
    cl_mem mem = clCreateBuffer(context, flags, bytes, host, &code);
    cl_ok(code);
    return mem;
}

// A buffer of `count` numbers of which those from `offset` on are `numbers`; the others, and all without numbers, have
// the fence's byte.
static cl_mem filled(const theirs *t, isg_dtype dtype, int64_t count, int64_t offset, const void *numbers, int64_t used)
{
    size_t element = isg_dtype_bytes(dtype), bytes = (size_t)count * element;
    char *host = malloc(bytes);
    ck_assert_ptr_nonnull(host);
    memset(host, 0xa5, bytes);
    if (numbers)
        memcpy(host + (size_t)offset * element, numbers, (size_t)used * element);
    cl_mem mem = new_buffer(t->context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, bytes, host);
    free(host);
    return mem;
}

static void *read_back(cl_command_queue queue, cl_mem mem)
{
    size_t bytes;
    cl_ok(clGetMemObjectInfo(mem, CL_MEM_SIZE, sizeof bytes, &bytes, NULL));
    void *host = malloc(bytes);
    ck_assert_ptr_nonnull(host);
    cl_ok(clEnqueueReadBuffer(queue, mem, CL_TRUE, 0, bytes, host, 0, NULL, NULL));
    return host;
}

// Oclgrind runs a queue when it is flushed, and so waits for an event that is not set yet; on OpenCL 1.1 isogram does.
static bool must_wait(const theirs *t)
{
    char name[100] = "", version[100] = "";
    cl_platform_id platform;
    cl_ok(clGetDeviceInfo(t->device, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL));
    clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name - 1, name, NULL);
    clGetDeviceInfo(t->device, CL_DEVICE_VERSION, sizeof version - 1, version, NULL);
    if (strcmp(name, "Oclgrind") != 0 && strncmp(version, "OpenCL 1.1", 10) != 0)
        return false;
    printf("skipped: nothing can be enqueued behind an event that is not set: %s, %s\n", name, version);
    return true;
}

static cl_int status_of(cl_event event)
{
    cl_int status;
    cl_ok(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL));
    return status;
}

static void says(isg_context *context, isg_status got, isg_status want, const char *part)
{
    const isg_error *e = isg_context_error(context);
    ck_assert_msg(got == want && strstr(e->message, part), "status %s, where '%s' is wanted: %s", isg_status_name(got),
                  part, e->message);
}

START_TEST(contexts)
{
    theirs t = theirs_open();
    for (int given = 0; given < 2; given++) {
        isg_context *context, *other;
        // Of an arithmetic: which one is the faster is measured, and may differ from one time to the next.
        ck_assert_int_eq(isg_context_from_opencl(&context, t.context, t.device, given ? t.queue : NULL,
                                                 isg_context_params(.device = "no such device", .cache_dir = "off",
                                                                    .arithmetic = ISG_ARITHMETIC_UNFUSED)),
                         ISG_OK);
        ck_assert_ptr_eq(isg_context_cl_context(context), t.context);
        ck_assert_ptr_eq(isg_context_cl_device(context), t.device);
        ck_assert_int_eq(isg_context_cl_queue(context) == t.queue, given);
        ck_assert_int_ge(isg_context_device(context)->platform_index, 0);
        ck_assert_int_ge(isg_context_device(context)->device_index, 0);
        ck_assert_int_eq(isg_context_probe(context)->trusted_f32, 1);
        other = device_open(ISG_ARITHMETIC_UNFUSED, 0);
        ck_assert_str_eq(isg_context_device(context)->name, isg_context_device(other)->name);
        ck_assert_str_eq(isg_context_contract(context, ISG_PRECISION_F32),
                         isg_context_contract(other, ISG_PRECISION_F32));
        isg_context_destroy(&other);
        isg_context_destroy(&context);
        ck_assert_uint_eq(queue_holds(t.queue), 1);
    }
    theirs_close(&t);
}
END_TEST

// An out-of-order queue is left alone, and isogram has one of its own.
START_TEST(out_of_order)
{
    theirs t = theirs_open();
    cl_int code;
    cl_command_queue queue = clCreateCommandQueue(t.context, t.device, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
    if (code == CL_SUCCESS) {
        isg_context *context;
        cl_command_queue_properties properties;
        ck_assert_int_eq(isg_context_from_opencl(&context, t.context, t.device, queue, NULL), ISG_OK);
        cl_command_queue own = isg_context_cl_queue(context);
        ck_assert_ptr_ne(own, queue);
        ck_assert_uint_eq(queue_holds(queue), 1);
        cl_ok(clGetCommandQueueInfo(own, CL_QUEUE_PROPERTIES, sizeof properties, &properties, NULL));
        ck_assert((properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) == 0);
        isg_context_destroy(&context);
        cl_ok(clReleaseCommandQueue(queue));
    } else {
        printf("skipped: no out-of-order queues\n");
    }
    theirs_close(&t);
}
END_TEST

static void refuse(cl_context cl, cl_device_id device, cl_command_queue queue, const char *part)
{
    isg_error error = {ISG_OK, ""};
    isg_context *context = (isg_context *)&error;
    ck_assert_int_eq(
        isg_context_from_opencl(&context, cl, device, queue, isg_context_params(.cache_dir = "off", .error = &error)),
        ISG_ERR_ARGUMENT);
    ck_assert_ptr_null(context);
    ck_assert_msg(strstr(error.message, part) != NULL, "%s", error.message);
}

// Another whole device of any platform, or NULL.
static cl_device_id another_device(cl_device_id device)
{
    cl_platform_id platforms[16];
    cl_uint platform_count = 0, count = 0;
    cl_ok(clGetPlatformIDs(16, platforms, &platform_count));
    for (cl_uint p = 0; p < platform_count && p < 16; p++) {
        cl_device_id ids[16];
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, 16, ids, &count) != CL_SUCCESS)
            continue;
        for (cl_uint i = 0; i < count && i < 16; i++)
            if (ids[i] != device)
                return ids[i];
    }
    return NULL;
}

// Two halves of a device, or 0 when it cannot be split.
static cl_uint split(cl_device_id device, cl_device_id halves[2])
{
    cl_device_partition_property ways[16] = {0};
    cl_uint most = 0, count = 0;
    if (clGetDeviceInfo(device, CL_DEVICE_PARTITION_MAX_SUB_DEVICES, sizeof most, &most, NULL) != CL_SUCCESS ||
        clGetDeviceInfo(device, CL_DEVICE_PARTITION_PROPERTIES, sizeof ways, ways, NULL) != CL_SUCCESS || most < 2 ||
        ways[0] == 0)
        return 0;
    const cl_device_partition_property by[] = {CL_DEVICE_PARTITION_BY_COUNTS, 1, 1,
                                               CL_DEVICE_PARTITION_BY_COUNTS_LIST_END, 0};
    return clCreateSubDevices(device, by, 2, halves, &count) == CL_SUCCESS ? count : 0;
}

START_TEST(refused_objects)
{
    theirs t = theirs_open(), u = theirs_open();
    refuse(NULL, t.device, NULL, "context");
    refuse(t.context, NULL, NULL, "device");
    refuse(t.context, t.device, u.queue, "queue belongs to another OpenCL context");
    isg_context *context = (isg_context *)&t;
    ck_assert_int_eq(isg_context_from_opencl(&context, t.context, t.device, t.queue,
                                             isg_context_params(.arithmetic = (isg_arithmetic)7)),
                     ISG_ERR_ARGUMENT);
    ck_assert_ptr_null(context);
    cl_device_id foreign = another_device(t.device), halves[2];
    if (foreign)
        refuse(t.context, foreign, NULL, "not one of the OpenCL context's");
    else
        printf("skipped: there is one device only\n");
    if (split(t.device, halves) == 2) {
        cl_int code;
        cl_context both = clCreateContext(NULL, 2, halves, NULL, NULL, &code);
        cl_ok(code);
        cl_command_queue queue = new_queue(both, halves[0]);
        refuse(both, halves[1], queue, "queue belongs to another device");
        cl_ok(clReleaseCommandQueue(queue));
        cl_ok(clReleaseContext(both));
        cl_ok(clReleaseDevice(halves[0]));
        cl_ok(clReleaseDevice(halves[1]));
    } else {
        printf("skipped: the device cannot be split\n");
    }
    theirs_close(&t);
    theirs_close(&u);
}
END_TEST

static void count_compilations(void *user, isg_log_level level, const char *message)
{
    (void)level;
    *(int *)user += strncmp(message, "compiled ", 9) == 0 || strncmp(message, "probed ", 7) == 0;
}

// A context of several devices, each a part of one: programs for it are cached and found again.
START_TEST(parts_of_a_device)
{
    theirs t = theirs_open();
    cl_device_id halves[2];
    if (split(t.device, halves) == 2) {
        char folder[] = "/tmp/isogram-parts-XXXXXX";
        ck_assert_ptr_nonnull(mkdtemp(folder));
        cl_int code;
        cl_context both = clCreateContext(NULL, 2, halves, NULL, NULL, &code);
        cl_ok(code);
        float x[5 * 3] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 3, 5, 7, 9, 2}, k[2][5 * 5];
        int compilations[2] = {0, 0};
        for (int i = 0; i < 2; i++) {
            isg_context *context;
            isg_gram *gram;
            cl_command_queue queue = new_queue(both, halves[1]);
            ck_assert_int_eq(isg_context_from_opencl(&context, both, halves[1], queue,
                                                     isg_context_params(.cache_dir = folder, .log = count_compilations,
                                                                        .log_user = &compilations[i])),
                             ISG_OK);
            ck_assert_int_eq(isg_context_device(context)->device_index, -1);
            device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(x, 5, 3))));
            device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k[i], 5, 5)));
            isg_gram_destroy(&gram);
            isg_context_destroy(&context);
            ck_assert_uint_eq(queue_holds(queue), 1);
            cl_ok(clReleaseCommandQueue(queue));
        }
        ck_assert_mem_eq(k[0], k[1], sizeof k[0]);
        ck_assert_int_gt(compilations[0], 1);
        ck_assert_int_eq(compilations[1], 0);
        char command[80];
        snprintf(command, sizeof command, "rm -r %s", folder);
        ck_assert_int_eq(system(command), 0);
        ck_assert_uint_eq(context_holds(both), 1);
        cl_ok(clReleaseContext(both));
        cl_ok(clReleaseDevice(halves[0]));
        cl_ok(clReleaseDevice(halves[1]));
    } else {
        printf("skipped: the device cannot be split\n");
    }
    theirs_close(&t);
}
END_TEST

// One random operator by host arrays and by buffers: whole, strided and shifted, and a block; waited for and not.
static void check_random(const theirs *t, isg_context *context, suite_random *random, isg_dtype dtype, int64_t most)
{
    int64_t n = 1 + random_below(random, most), m = 1 + random_below(random, most), d = 1 + random_below(random, 40);
    bool symmetric = random_below(random, 2) != 0;
    m = symmetric ? n : m;
    void *x = device_points(random, dtype, n * d, -2, 2), *y = device_points(random, dtype, m * d, -2, 2);
    void *want = device_expected_gram(context, isg_kernel_find("rbf"), dtype, x, n, symmetric ? NULL : y, m, d, 0.125);
    int64_t x_at = random_below(random, 9), y_at = random_below(random, 9), k_at = random_below(random, 35);
    cl_mem mx = filled(t, dtype, x_at + n * d + 3, x_at, x, n * d);
    cl_mem my = filled(t, dtype, y_at + m * d + 5, y_at, y, m * d);
    isg_gram *gram;
    isg_array none = {.dtype = ISG_DTYPE_NONE};
    device_ok(context, isg_gram_create(context, &gram,
                                       isg_gram_params(.x = isg_matrix_mem(dtype, mx, x_at, n, d),
                                                       .y = symmetric ? none : isg_matrix_mem(dtype, my, y_at, m, d),
                                                       .gamma = 0.125)));
    int64_t row = random_below(random, n), col = random_below(random, m);
    int64_t rows = 1 + random_below(random, n - row), cols = 1 + random_below(random, m - col);
    int64_t gap = random_below(random, 3) * random_below(random, 20), element = (int64_t)isg_dtype_bytes(dtype);
    for (int i = 0; i < 4; i++) {
        bool whole = i % 2 == 0, waits = i < 2;
        int64_t a = whole ? 0 : row, b = whole ? 0 : col, high = whole ? n : rows, wide = whole ? m : cols;
        int64_t stride = wide + gap, count = k_at + high * stride + 7;
        cl_mem mk = filled(t, dtype, count, 0, NULL, 0);
        isg_array k = isg_matrix_mem(dtype, mk, k_at, high, wide);
        k.strides[0] = stride;
        if (waits)
            device_ok(context, whole ? isg_gram_dense(gram, k) : isg_gram_tile(gram, a, b, k));
        else
            device_ok(context, isg_gram_tile_enqueue(gram, a, b, k, 0, NULL, NULL));
        char *got = read_back(isg_context_cl_queue(context), mk);
        device_same_bits(dtype, got + k_at * element, stride, (char *)want + (a * m + b) * element, m, high, wide,
                         whole ? "whole" : "block");
        // All the rest of the buffer is as it was.
        for (int64_t e = 0; e < count; e++) {
            int64_t at = e - k_at;
            if (at < 0 || at / stride >= high || at % stride >= wide)
                ck_assert_int_eq(((unsigned char *)got)[e * element], 0xa5);
        }
        free(got);
        cl_ok(clReleaseMemObject(mk));
    }
    isg_gram_destroy(&gram);
    ck_assert_uint_eq(mem_holds(mx), 1);
    ck_assert_uint_eq(mem_holds(my), 1);
    cl_ok(clReleaseMemObject(mx));
    cl_ok(clReleaseMemObject(my));
    free(want);
    free(x);
    free(y);
}

static void check_many(int64_t max_alloc_bytes, bool zero_copy, bool gpu, int rounds, int64_t most, int stream)
{
    theirs t = theirs_open();
    isg_context *context = wrap(&t, max_alloc_bytes);
    context->zero_copy = context->zero_copy && zero_copy;
    if (gpu)
        context->device.device_class = ISG_DEVICE_GPU_DISCRETE;
    suite_random random = suite_stream((uint64_t)stream);
    for (int i = 0; i < rounds; i++)
        for (int wide = 0; wide < 1 + (context->device.lanes_f64 > 0); wide++)
            check_random(&t, context, &random, wide ? ISG_F64 : ISG_F32, most);
    isg_context_destroy(&context);
    theirs_close(&t);
}

START_TEST(random_shapes)
{
    check_many(0, true, false, suite_rounds(20), 150, 1);
}
END_TEST

START_TEST(random_shapes_staged)
{
    check_many(0, false, false, suite_rounds(10), 150, 2);
}
END_TEST

START_TEST(random_shapes_in_parts)
{
    check_many(40000, true, false, suite_rounds(8), 300, 3);
    check_many(40000, false, false, suite_rounds(8), 300, 4);
}
END_TEST

START_TEST(random_shapes_in_gpu_tiles)
{
    check_many(0, false, true, suite_rounds(10), 200, 5);
}
END_TEST

// K so large that it is written past the caches, mirrored and not, wherever it begins; in a plain buffer, in a part of
// one, and in one over host memory.
START_TEST(streamed)
{
    theirs t = theirs_open();
    isg_context *context = wrap(&t, 0);
    suite_random random = suite_stream(6);
    enum { N = 1100, STRIDE = 1136 };
    static const int offsets[] = {0, 1, 16, 7};
    cl_uint align = 0;
    cl_ok(clGetDeviceInfo(t.device, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof align, &align, NULL));
    for (int64_t d = 3; d < 40; d += 20) {
        void *x = device_points(&random, ISG_F32, N * d, -1, 1);
        float *want = device_expected_gram(context, isg_kernel_find("rbf"), ISG_F32, x, N, NULL, N, d, 0.1);
        isg_gram *gram;
        device_ok(context,
                  isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix(ISG_F32, x, N, d), .gamma = 0.1)));
        for (int i = 0; i < 12; i++) {
            int64_t offset = offsets[i % 4], count = (int64_t)N * STRIDE + offset;
            float *memory = device_guard(ISG_F32, count + 1);
            cl_mem whole = NULL, mem;
            if (i < 4) {
                mem = new_buffer(t.context, CL_MEM_WRITE_ONLY, (size_t)count * 4, NULL);
            } else if (i < 8) {
                cl_buffer_region region = {align / 8, (size_t)count * 4};
                cl_int code;
                whole = new_buffer(t.context, CL_MEM_READ_WRITE, (size_t)count * 4 + align, NULL);
                mem = clCreateSubBuffer(whole, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
                cl_ok(code);
            } else {
                mem = new_buffer(t.context, CL_MEM_USE_HOST_PTR, (size_t)count * 4, memory + 1);
            }
            isg_array k = isg_matrix_mem(ISG_F32, mem, offset, N, N);
            k.strides[0] = STRIDE;
            device_ok(context, isg_gram_dense(gram, k));
            float *got = read_back(t.queue, mem);
            device_same_bits(ISG_F32, got + offset, STRIDE, want, N, N, N, "streamed");
            free(got);
            cl_ok(clReleaseMemObject(mem));
            if (whole)
                cl_ok(clReleaseMemObject(whole));
            device_guard_free(memory, ISG_F32, count + 1);
        }
        isg_gram_destroy(&gram);
        free(want);
        free(x);
    }
    isg_context_destroy(&context);
    theirs_close(&t);
}
END_TEST

// Points by any strides, of any type, in a part of a buffer: as from the host's memory.
START_TEST(strided_points)
{
    theirs t = theirs_open();
    isg_context *context = wrap(&t, 0);
    enum { ROOM = 4000, N = 7, D = 3 };
    static const struct {
        int64_t offset, row, col;
    } views[] = {{0, D, 1},          {5, 100, 1},    {99, 100, 1}, {98, 100, 1}, {0, 1, N},
                 {ROOM - 1, -D, -1}, {600, -100, 1}, {11, 0, 1},   {3, 500, 11}, {ROOM - 6 * 500 - 3, 500, 1},
                 {17, 2, 1}};
    static const isg_dtype dtypes[] = {ISG_F32, ISG_U8, ISG_I16};
    cl_uint align = 0;
    cl_ok(clGetDeviceInfo(t.device, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof align, &align, NULL));
    for (size_t c = 0; c < COUNT(dtypes); c++) {
        isg_dtype dtype = dtypes[c];
        size_t element = isg_dtype_bytes(dtype);
        unsigned char *host = malloc(ROOM * element + align);
        for (size_t i = 0; i < ROOM * element + align; i++)
            host[i] = (unsigned char)(i * 37 % 61);
        for (size_t i = 0; i < (ROOM * element + align) / 4 && dtype == ISG_F32; i++) {
            float v = (float)(i * 37 % 61) / 16;
            memcpy(host + 4 * i, &v, 4);
        }
        cl_mem whole = new_buffer(t.context, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, ROOM * element + align, host);
        cl_buffer_region region = {align / 8, ROOM * element};
        cl_int code;
        cl_mem part = clCreateSubBuffer(whole, CL_MEM_READ_ONLY, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
        cl_ok(code);
        for (size_t v = 0; v < 2 * COUNT(views); v++) {
            isg_array in_mem = isg_matrix_mem(dtype, v % 2 ? part : whole, views[v / 2].offset, N, D), in_host;
            in_mem.strides[0] = views[v / 2].row;
            in_mem.strides[1] = views[v / 2].col;
            in_host = in_mem;
            in_host.mem = NULL;
            in_host.data = host + (v % 2 ? align / 8 : 0) + (size_t)views[v / 2].offset * element;
            float k[2][N * N];
            for (int i = 0; i < 2; i++) {
                isg_gram *gram;
                device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = i ? in_mem : in_host)));
                device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k[i], N, N)));
                isg_gram_destroy(&gram);
            }
            ck_assert_mem_eq(k[0], k[1], sizeof k[0]);
        }
        ck_assert_uint_eq(mem_holds(part), 1);
        cl_ok(clReleaseMemObject(part));
        ck_assert_uint_eq(mem_holds(whole), 1);
        cl_ok(clReleaseMemObject(whole));
        free(host);
    }
    isg_context_destroy(&context);
    theirs_close(&t);
}
END_TEST

// A program of the caller's: k[i] = factor * k[i] + term.
static cl_kernel their_kernel(const theirs *t)
{
    static const char *text = "kernel void change(global float *k, float factor, float term)"
                              "{ size_t i = get_global_id(0); k[i] = factor * k[i] + term; }";
    cl_int code;
    cl_program program = clCreateProgramWithSource(t->context, 1, &text, NULL, &code);
    cl_ok(code);
    cl_ok(clBuildProgram(program, 1, &t->device, "", NULL, NULL));
    cl_kernel kernel = clCreateKernel(program, "change", &code);
    cl_ok(code);
    cl_ok(clReleaseProgram(program));
    return kernel;
}

static void run_theirs(cl_command_queue queue, cl_kernel kernel, cl_mem mem, size_t count, float factor, float term,
                       cl_uint wait_count, const cl_event *wait, cl_event *done)
{
    cl_ok(clSetKernelArg(kernel, 0, sizeof mem, &mem));
    cl_ok(clSetKernelArg(kernel, 1, sizeof factor, &factor));
    cl_ok(clSetKernelArg(kernel, 2, sizeof term, &term));
    cl_ok(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &count, NULL, wait_count, wait, done));
    cl_ok(clFlush(queue));
}

static int never(void *user, double done, double total)
{
    (void)done;
    (void)total;
    ++*(int *)user;
    return 1;
}

// The caller's kernel, a tile, the caller's kernel again, each behind the other's event: in one queue, and in two.
START_TEST(between_their_kernels)
{
    theirs t = theirs_open();
    cl_kernel kernel = their_kernel(&t);
    suite_random random = suite_stream(7);
    enum { N = 333, M = 250, D = 6 };
    void *x = device_points(&random, ISG_F32, N * D, -2, 2), *y = device_points(&random, ISG_F32, M * D, -2, 2);
    for (int shared = 0; shared < 2; shared++) {
        isg_context *context;
        int told = 0;
        ck_assert_int_eq(isg_context_from_opencl(&context, t.context, t.device, shared ? t.queue : NULL,
                                                 isg_context_params(.cache_dir = "off", .max_alloc_bytes = 5000)),
                         ISG_OK);
        float *want = device_expected_gram(context, isg_kernel_find("rbf"), ISG_F32, x, N, y, M, D, 0.25);
        for (int i = 0; i < N * M; i++)
            want[i] *= 4;
        cl_mem mk = filled(&t, ISG_F32, N * M, 0, NULL, 0);
        isg_gram *gram;
        device_ok(context, isg_gram_create(context, &gram,
                                           isg_gram_params(.x = isg_matrix(ISG_F32, x, N, D), .gamma = 0.25,
                                                           .y = isg_matrix(ISG_F32, y, M, D), .progress = never,
                                                           .progress_user = &told)));
        for (int round = 0; round < 3; round++) {
            cl_event before, between, after;
            run_theirs(t.queue, kernel, mk, N * M, 0, -1, 0, NULL, &before);
            device_ok(context,
                      isg_gram_tile_enqueue(gram, 0, 0, isg_matrix_mem(ISG_F32, mk, 0, N, M), 1, &before, &between));
            run_theirs(t.queue, kernel, mk, N * M, 4, 0, 1, &between, &after);
            cl_ok(clWaitForEvents(1, &after));
            ck_assert_int_eq(status_of(between), CL_COMPLETE);
            float *got = read_back(t.queue, mk);
            device_same_bits(ISG_F32, got, M, want, M, N, M, "between kernels");
            free(got);
            cl_ok(clReleaseEvent(before));
            cl_ok(clReleaseEvent(after));
            cl_ok(clReleaseEvent(between));
        }
        isg_gram_destroy(&gram);
        ck_assert_int_eq(told, 0);
        isg_context_destroy(&context);
        cl_ok(clReleaseMemObject(mk));
        free(want);
    }
    cl_ok(clReleaseKernel(kernel));
    theirs_close(&t);
    free(x);
    free(y);
}
END_TEST

// The call returns while its event is not set; nothing is written before.
START_TEST(not_waited_for)
{
    theirs t = theirs_open();
    suite_random random = suite_stream(8);
    enum { N = 200, D = 6 };
    void *x = device_points(&random, ISG_F32, N * D, -2, 2);
    for (int i = 0; i < 4 && !must_wait(&t); i++) {
        isg_context *context = wrap(&t, i % 2 ? 20000 : 0);
        context->zero_copy = context->zero_copy && i < 2;
        float *want = device_expected_gram(context, isg_kernel_find("rbf"), ISG_F32, x, N, NULL, N, D, 0.25);
        cl_int code;
        cl_event gate = clCreateUserEvent(t.context, &code), done;
        cl_ok(code);
        cl_command_queue other = new_queue(t.context, t.device);
        cl_mem mk = filled(&t, ISG_F32, N * N, 0, NULL, 0);
        isg_array k = isg_matrix_mem(ISG_F32, mk, 0, N, N), half = k;
        half.shape[0] = N / 2;
        isg_gram *gram;
        device_ok(context,
                  isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix(ISG_F32, x, N, D), .gamma = 0.25)));
        device_ok(context, isg_gram_tile_enqueue(gram, 0, 0, k, 1, &gate, &done));
        // Once more behind it, with panels that are perhaps still to be packed.
        device_ok(context, isg_gram_tile_enqueue(gram, 0, 0, half, 0, NULL, NULL));
        ck_assert_int_gt(status_of(done), CL_COMPLETE);
        float *got = read_back(other, mk);
        for (int e = 0; e < N * N; e++)
            ck_assert_int_eq(((unsigned char *)(got + e))[0], 0xa5);
        free(got);
        cl_ok(clSetUserEventStatus(gate, CL_COMPLETE));
        cl_ok(clWaitForEvents(1, &done));
        cl_ok(clReleaseEvent(done));
        // Destroying waits for the rest.
        isg_gram_destroy(&gram);
        got = read_back(other, mk);
        device_same_bits(ISG_F32, got, N, want, N, N, N, "not waited for");
        free(got);
        isg_context_destroy(&context);
        ck_assert_uint_eq(event_holds(gate), 1);
        cl_ok(clReleaseEvent(gate));
        cl_ok(clReleaseMemObject(mk));
        cl_ok(clReleaseCommandQueue(other));
        free(want);
    }
    theirs_close(&t);
    free(x);
}
END_TEST

// An event that fails takes the launches behind it with it, and tells so; what was to be packed is not relied upon.
START_TEST(failed_events)
{
    theirs t = theirs_open();
    suite_random random = suite_stream(9);
    enum { N = 60, D = 6 };
    void *x = device_points(&random, ISG_F32, N * D, -2, 2);
    isg_context *context = wrap(&t, 0);
    float *want = device_expected_gram(context, isg_kernel_find("rbf"), ISG_F32, x, N, NULL, N, D, 0.25);
    for (int i = 0; i < 2 && !must_wait(&t); i++) {
        cl_int code;
        cl_event gate = clCreateUserEvent(t.context, &code), done, marker = NULL;
        cl_ok(code);
        cl_mem mk = filled(&t, ISG_F32, N * N, 0, NULL, 0);
        isg_array k = isg_matrix_mem(ISG_F32, mk, 0, N, N);
        isg_gram *gram;
        device_ok(context,
                  isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix(ISG_F32, x, N, D), .gamma = 0.25)));
        // The second time the packing too stands behind the event, in the caller's queue.
        if (i == 1)
            cl_ok(clEnqueueMarkerWithWaitList(t.queue, 1, &gate, &marker));
        device_ok(context, isg_gram_tile_enqueue(gram, 0, 0, k, 1, &gate, &done));
        cl_ok(clSetUserEventStatus(gate, -1));
        ck_assert_int_ne(clWaitForEvents(1, &done), CL_SUCCESS);
        ck_assert_int_lt(status_of(done), 0);
        cl_ok(clReleaseEvent(done));
        clFinish(t.queue);
        float *got = read_back(t.queue, mk);
        ck_assert_int_eq(((unsigned char *)got)[0], 0xa5);
        free(got);
        says(context, isg_gram_tile_enqueue(gram, 0, 0, k, 1, &gate, &done), ISG_ERR_ARGUMENT,
             "wait_list[0] has failed");
        ck_assert_ptr_null(done);
        device_ok(context, isg_gram_tile_enqueue(gram, 0, 0, k, 0, NULL, &done));
        cl_ok(clWaitForEvents(1, &done));
        cl_ok(clReleaseEvent(done));
        got = read_back(t.queue, mk);
        device_same_bits(ISG_F32, got, N, want, N, N, N, "after a failure");
        free(got);
        isg_gram_destroy(&gram);
        if (marker)
            cl_ok(clReleaseEvent(marker));
        cl_ok(clReleaseEvent(gate));
        cl_ok(clReleaseMemObject(mk));
    }
    isg_context_destroy(&context);
    theirs_close(&t);
    free(want);
    free(x);
}
END_TEST

enum { AS_POINTS = 1, AS_K = 2, AS_BOTH = 3 };

typedef struct bad_view {
    int use;
    cl_mem mem;
    int64_t offset, rows, columns, row, col; // row, col: strides
    isg_status status;
    const char *text;
} bad_view;

START_TEST(bad_views)
{
    theirs t = theirs_open(), u = theirs_open();
    isg_context *context = wrap(&t, 0);
    const int64_t huge = (int64_t)1 << 62;
    cl_mem mem = filled(&t, ISG_F32, 100, 0, NULL, 0), foreign = filled(&u, ISG_F32, 100, 0, NULL, 0);
    cl_mem fixed = new_buffer(t.context, CL_MEM_READ_ONLY, 400, NULL);
    cl_mem hidden = new_buffer(t.context, CL_MEM_HOST_NO_ACCESS, 400, NULL);
    cl_ok(clEnqueueWriteBuffer(t.queue, mem, CL_TRUE, 0, 400, (float[100]){0}, 0, NULL, NULL));
    const bad_view cases[] = {
        {AS_BOTH, mem, 0, 10, 11, 11, 1, ISG_ERR_SHAPE, "leaves its buffer of 100 float32"},
        {AS_BOTH, mem, 1, 10, 10, 10, 1, ISG_ERR_SHAPE, "leaves"},
        {AS_BOTH, mem, -1, 10, 10, 10, 1, ISG_ERR_SHAPE, "leaves"},
        {AS_BOTH, mem, INT64_MIN, 10, 10, 10, 1, ISG_ERR_SHAPE, "leaves"},
        {AS_BOTH, mem, INT64_MAX, 10, 10, 10, 1, ISG_ERR_SHAPE, "leaves"},
        {AS_BOTH, mem, 101, 1, 1, 1, 1, ISG_ERR_SHAPE, "leaves"},
        {AS_BOTH, mem, 0, 2, 2, 99, 1, ISG_ERR_SHAPE, "leaves"},
        {AS_BOTH, mem, 0, 2, 2, huge, 1, ISG_ERR_SHAPE, "leaves"},
        {AS_BOTH, mem, 0, 5, 2, huge, 1, ISG_ERR_SHAPE, "leaves"},
        {AS_BOTH, foreign, 0, 10, 10, 10, 1, ISG_ERR_ARGUMENT, "belongs to another OpenCL context"},
        {AS_POINTS, mem, 0, 2, 2, -1, 1, ISG_ERR_SHAPE, "leaves"},
        {AS_POINTS, mem, 5, 2, 2, INT64_MIN, 1, ISG_ERR_SHAPE, "leaves"},
        {AS_POINTS, mem, 0, 0, 2, 2, 1, ISG_ERR_SHAPE, "0 rows"},
        {AS_POINTS, mem, 0, -1, 2, 2, 1, ISG_ERR_SHAPE, "negative extent"},
        {AS_POINTS, hidden, 0, 2, 2, 2, 1, ISG_ERR_ARGUMENT, "the host cannot read"},
        {AS_K, fixed, 0, 10, 10, 10, 1, ISG_ERR_ARGUMENT, "CL_MEM_READ_ONLY"},
        {AS_K, mem, 0, 10, 10, 9, 1, ISG_ERR_SHAPE, "overlap"},
        {AS_K, mem, 0, 10, 5, 10, 2, ISG_ERR_SHAPE, "unit stride"},
        {AS_K, mem, 0, 31, 3, 3, 1, ISG_ERR_SHAPE, "leaves the 30 x 30 operator"},
        {AS_K, foreign, 0, 0, 3, 3, 1, ISG_ERR_ARGUMENT, "another OpenCL context"},
    };
    float x[30 * 2] = {0};
    isg_gram *gram, *bad;
    device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(x, 30, 2))));
    for (size_t i = 0; i < COUNT(cases); i++) {
        const bad_view *v = &cases[i];
        isg_array a = isg_matrix_mem(ISG_F32, v->mem, v->offset, v->rows, v->columns), good = isg_matrix_f32(x, 3, 2);
        a.strides[0] = v->row;
        a.strides[1] = v->col;
        if (v->use & AS_POINTS) {
            bad = (isg_gram *)&a;
            says(context, isg_gram_create(context, &bad, isg_gram_params(.x = a)), v->status, v->text);
            ck_assert_ptr_null(bad);
            says(context, isg_gram_create(context, &bad, isg_gram_params(.x = good, .y = a)), v->status, v->text);
        }
        if (v->use & AS_K) {
            cl_event done = (cl_event)&a;
            says(context, isg_gram_tile(gram, 0, 0, a), v->status, v->text);
            says(context, isg_gram_tile_enqueue(gram, 0, 0, a, 0, NULL, &done), v->status, v->text);
            ck_assert_ptr_null(done);
        }
    }
    isg_array a = isg_matrix_mem(ISG_DTYPE_NONE, mem, 0, 2, 2);
    a.dtype = (isg_dtype)99;
    says(context, isg_gram_create(context, &bad, isg_gram_params(.x = a)), ISG_ERR_DTYPE, "element type");
    a = isg_matrix_mem(ISG_F32, mem, 0, 2, 2);
    a.ndim = 1;
    says(context, isg_gram_create(context, &bad, isg_gram_params(.x = a)), ISG_ERR_SHAPE, "1-dimensional");
    says(context, isg_gram_tile(gram, 0, 0, a), ISG_ERR_SHAPE, "matrix");
    a.ndim = 99;
    says(context, isg_gram_create(context, &bad, isg_gram_params(.x = a)), ISG_ERR_SHAPE, "99 dimensions");
    a = isg_matrix_mem(ISG_F64, mem, 0, 2, 2);
    says(context, isg_gram_tile(gram, 0, 0, a), ISG_ERR_DTYPE, "float64");
    cl_image_format format = {CL_RGBA, CL_FLOAT};
    cl_image_desc desc = {.image_type = CL_MEM_OBJECT_IMAGE2D, .image_width = 8, .image_height = 8};
    cl_int code;
    cl_mem image = clCreateImage(t.context, CL_MEM_READ_WRITE, &format, &desc, NULL, &code);
    if (code == CL_SUCCESS) {
        a = isg_matrix_mem(ISG_F32, image, 0, 2, 2);
        says(context, isg_gram_create(context, &bad, isg_gram_params(.x = a)), ISG_ERR_ARGUMENT, "not a buffer");
        says(context, isg_gram_tile(gram, 0, 0, a), ISG_ERR_ARGUMENT, "not a buffer");
        cl_ok(clReleaseMemObject(image));
    }
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    const cl_mem all[] = {mem, foreign, fixed, hidden};
    for (size_t i = 0; i < COUNT(all); i++) {
        ck_assert_uint_eq(mem_holds(all[i]), 1);
        cl_ok(clReleaseMemObject(all[i]));
    }
    theirs_close(&t);
    theirs_close(&u);
}
END_TEST

// What goes with the points goes with those in buffers too: norms, row factors, lengthscales, rows left out.
START_TEST(with_points)
{
    theirs t = theirs_open();
    isg_context *context = wrap(&t, 0);
    suite_random random = suite_stream(10);
    enum { ROWS = 40, N = 30, M = 21, D = 4 };
    float *x = device_points(&random, ISG_F32, ROWS * D, 0.5, 2), *y = device_points(&random, ISG_F32, M * D, 0.5, 2);
    cl_mem mx = filled(&t, ISG_F32, ROWS * D, 0, x, ROWS * D), my = filled(&t, ISG_F32, M * D, 0, y, M * D);
    double factors[ROWS], lengthscales[D] = {0.5, 3, 1, 7};
    uint8_t include[ROWS];
    for (int i = 0; i < ROWS; i++) {
        factors[i] = i - 17.5;
        include[i] = i % 4 != 1;
    }
    for (int i = 0; i < 2; i++) {
        isg_gram_params p = {.kernel = isg_kernel_find(i ? "rbf" : "cosine"),
                             .x = isg_matrix_f32(x, ROWS, D),
                             .y = isg_matrix_f32(y, M, D),
                             .factors = factors,
                             .include = include,
                             .lengthscales = i ? lengthscales : NULL};
        float want[N * M];
        isg_gram *gram;
        device_ok(context, isg_gram_create(context, &gram, &p));
        device_ok(context, isg_gram_dense(gram, isg_matrix_f32(want, N, M)));
        isg_gram_destroy(&gram);
        p.x = isg_matrix_mem(ISG_F32, mx, 0, ROWS, D);
        p.y = isg_matrix_mem(ISG_F32, my, 0, M, D);
        cl_mem mk = filled(&t, ISG_F32, N * M, 0, NULL, 0);
        cl_event done;
        device_ok(context, isg_gram_create(context, &gram, &p));
        device_ok(context, isg_gram_tile_enqueue(gram, 0, 0, isg_matrix_mem(ISG_F32, mk, 0, N, M), 0, NULL, &done));
        cl_ok(clWaitForEvents(1, &done));
        cl_ok(clReleaseEvent(done));
        float *got = read_back(t.queue, mk);
        device_same_bits(ISG_F32, got, M, want, M, N, M, "with the points");
        free(got);
        isg_gram_destroy(&gram);
        cl_ok(clReleaseMemObject(mk));
    }
    cl_ok(clReleaseMemObject(mx));
    cl_ok(clReleaseMemObject(my));
    isg_context_destroy(&context);
    theirs_close(&t);
    free(x);
    free(y);
}
END_TEST

START_TEST(bad_events)
{
    theirs t = theirs_open(), u = theirs_open();
    isg_context *context = wrap(&t, 0);
    cl_int code;
    cl_event mine = clCreateUserEvent(t.context, &code), foreign = clCreateUserEvent(u.context, &code);
    cl_ok(clSetUserEventStatus(mine, CL_COMPLETE));
    cl_mem mk = filled(&t, ISG_F32, 9, 0, NULL, 0);
    isg_array k = isg_matrix_mem(ISG_F32, mk, 0, 3, 3);
    float x[6] = {1, 2, 3, 4, 5, 6}, host[9];
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(x, 3, 2))));
    const cl_event with_foreign[] = {mine, mine, foreign}, with_null[] = {mine, NULL};
    cl_event done = mine;
    says(context, isg_gram_tile_enqueue(gram, 0, 0, k, 3, with_foreign, &done), ISG_ERR_ARGUMENT,
         "wait_list[2] belongs to another OpenCL context");
    ck_assert_ptr_null(done);
    says(context, isg_gram_tile_enqueue(gram, 0, 0, k, 2, with_null, &done), ISG_ERR_ARGUMENT, "wait_list[1] is NULL");
    says(context, isg_gram_tile_enqueue(gram, 0, 0, k, 1, NULL, &done), ISG_ERR_ARGUMENT, "no list");
    says(context, isg_gram_tile_enqueue(gram, 0, 0, isg_matrix_f32(host, 3, 3), 0, NULL, &done), ISG_ERR_ARGUMENT,
         "host memory");
    says(context, isg_gram_tile_enqueue(gram, 1, 0, k, 0, NULL, &done), ISG_ERR_SHAPE, "leaves the 3 x 3 operator");
    float *got = read_back(t.queue, mk);
    ck_assert_int_eq(((unsigned char *)got)[0], 0xa5);
    free(got);
    // A block of nothing is done when its events are.
    k.shape[0] = 0;
    device_ok(context, isg_gram_tile_enqueue(gram, 0, 0, k, 1, &mine, &done));
    cl_ok(clWaitForEvents(1, &done));
    cl_ok(clReleaseEvent(done));
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    ck_assert_uint_eq(event_holds(mine), 1);
    ck_assert_uint_eq(event_holds(foreign), 1);
    cl_ok(clReleaseEvent(mine));
    cl_ok(clReleaseEvent(foreign));
    cl_ok(clReleaseMemObject(mk));
    theirs_close(&t);
    theirs_close(&u);
}
END_TEST

// K may not lie where the points do: in host memory, in one buffer, in two parts of one, and in a buffer over host
// memory.
START_TEST(overlaps)
{
    theirs t = theirs_open();
    isg_context *context = wrap(&t, 0);
    enum { N = 8, D = 2, ROOM = 1024 };
    float *host = aligned_alloc(4096, ROOM * sizeof *host);
    for (int i = 0; i < ROOM; i++)
        host[i] = (float)(i % 7);
    cl_uint align = 0;
    cl_ok(clGetDeviceInfo(t.device, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof align, &align, NULL));
    cl_mem mem = filled(&t, ISG_F32, ROOM, 0, host, ROOM);
    cl_mem over = new_buffer(t.context, CL_MEM_USE_HOST_PTR, ROOM * sizeof *host, host);
    cl_int code;
    cl_buffer_region first = {0, 1024}, second = {align / 8, 1024};
    cl_mem a = clCreateSubBuffer(mem, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &first, &code);
    cl_ok(code);
    cl_mem b = clCreateSubBuffer(mem, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &second, &code);
    cl_ok(code);
    int64_t step = align / 32; // what the second part is behind the first, in elements
    const struct {
        cl_mem x, k; // NULL: host
        int64_t x_at, k_at;
        bool meets;
    } cases[] = {
        {NULL, NULL, 0, 15, true},   {NULL, NULL, 0, 16, false},  {NULL, NULL, 64, 0, false},
        {NULL, NULL, 63, 0, true},   {mem, mem, 0, 15, true},     {mem, mem, 0, 16, false},
        {mem, mem, 64, 0, false},    {mem, mem, 63, 0, true},     {mem, NULL, 0, 0, false},
        {NULL, mem, 0, 0, false},    {over, NULL, 0, 15, true},   {over, NULL, 0, 16, false},
        {NULL, over, 0, 15, true},   {NULL, over, 0, 16, false},  {over, over, 5, 6, true},
        {a, mem, 5, 5, true},        {mem, a, 64, 0, false},      {a, b, step + 8, 0, true},
        {a, b, step - 16, 0, false}, {b, a, 0, step - 64, false}, {b, a, 0, step - 63, step >= 63},
    };
    for (size_t i = 0; i < 2 * COUNT(cases); i++) {
        size_t c = i / 2;
        if (cases[c].x_at < 0 || cases[c].k_at < 0)
            continue;
        isg_array x = cases[c].x ? isg_matrix_mem(ISG_F32, cases[c].x, cases[c].x_at, N, D)
                                 : isg_matrix_f32(host + cases[c].x_at, N, D);
        isg_array k = cases[c].k ? isg_matrix_mem(ISG_F32, cases[c].k, cases[c].k_at, N, N)
                                 : isg_matrix_f32(host + cases[c].k_at, N, N);
        isg_array elsewhere = isg_matrix_f32((const float[2 *D]){1, 2, 3, 4}, 2, D);
        isg_gram *gram;
        // As X and as Y. Only what must be refused is tried on Y.
        bool as_y = i % 2 == 1;
        if (as_y && !cases[c].meets)
            continue;
        device_ok(context, isg_gram_create(context, &gram,
                                           as_y ? isg_gram_params(.x = elsewhere, .y = x) : isg_gram_params(.x = x)));
        k.shape[0] = as_y ? 2 : N;
        if (as_y)
            k.strides[0] = N * 7; // two rows that reach as far as eight
        isg_status st = isg_gram_tile(gram, 0, 0, k);
        if (cases[c].meets)
            says(context, st, ISG_ERR_ARGUMENT, "K overlaps");
        else
            ck_assert_msg(st == ISG_OK, "case %d: %s", (int)c, isg_context_error(context)->message);
        if (k.mem && cases[c].meets)
            says(context, isg_gram_tile_enqueue(gram, 0, 0, k, 0, NULL, NULL), ISG_ERR_ARGUMENT, "K overlaps");
        isg_gram_destroy(&gram);
    }
    cl_ok(clReleaseMemObject(a));
    cl_ok(clReleaseMemObject(b));
    isg_context_destroy(&context);
    ck_assert_uint_eq(mem_holds(mem), 1);
    ck_assert_uint_eq(mem_holds(over), 1);
    cl_ok(clReleaseMemObject(mem));
    cl_ok(clReleaseMemObject(over));
    theirs_close(&t);
    free(host);
}
END_TEST

// What takes host memory only says so.
START_TEST(host_only)
{
    theirs t = theirs_open();
    isg_context *context = wrap(&t, 0);
    cl_mem mem = filled(&t, ISG_F32, 100, 0, NULL, 0);
    isg_array matrix = isg_matrix_mem(ISG_F32, mem, 0, 3, 3), vector = matrix;
    vector.ndim = 1;
    float x[6] = {1, 2, 3, 4, 5, 6};
    isg_gram *gram;
    isg_grid *grid;
    isg_points points;
    isg_error error = {ISG_OK, ""};
    device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(x, 3, 2))));
    says(context, isg_gram_diagonal(gram, vector), ISG_ERR_ARGUMENT, "host memory only");
    device_ok(context, isg_grid_create(context, &grid,
                                       isg_grid_params(.size = {3}, .sigma = {1}, .precision = ISG_PRECISION_F32)));
    says(context, isg_grid_fill(grid, matrix), ISG_ERR_ARGUMENT, "host memory only");
    matrix.data = x;
    ck_assert_int_eq(isg_points_read(&points, &matrix, NULL, ISG_F32, false, "X", &error), ISG_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.message, "X: points in host memory"));
    isg_grid_destroy(&grid);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    cl_ok(clReleaseMemObject(mem));
    theirs_close(&t);
}
END_TEST

// Filters of arrays in buffers, which begin somewhere in them: the bits are those of host arrays, what lies around the
// results stays, and each buffer is one that kernels may use so.
START_TEST(filters)
{
    enum { ROWS = 9, COLS = 21, COUNT_ = ROWS * COLS, AT = 5, ROOM = COUNT_ + 11 };
    theirs t = theirs_open();
    isg_context *context = wrap(&t, 0);
    suite_random random = suite_stream(70);
    float *x = device_points(&random, ISG_F32, COUNT_, -2, 2), want[COUNT_];
    unsigned char valid[COUNT_];
    for (int i = 0; i < COUNT_; i++)
        valid[i] = i % 5 > 0;
    cl_mem mx = filled(&t, ISG_F32, ROOM, AT, x, COUNT_), mv = filled(&t, ISG_U8, ROOM, AT, valid, COUNT_);
    const isg_array in = isg_matrix_f32(x, ROWS, COLS), out = isg_matrix_f32(want, ROWS, COLS),
                    from = isg_matrix_mem(ISG_F32, mx, AT, ROWS, COLS);
    const isg_array host_mask = isg_matrix(ISG_U8, valid, ROWS, COLS),
                    mask = isg_matrix_mem(ISG_U8, mv, AT, ROWS, COLS);
    const double weights[6] = {1, -2, 3, 0.5, 2, 0.25};
    const isg_array stencil = isg_matrix_f64(weights, 2, 3);
    isg_filter_params host = {.sigma = {1.5}, .memory = 0}, buffer = host;
    for (int what = 0; what < 6; what++) { // filters: plain, masked, in blocks if they could be; derived ones; stencils
        cl_mem mk = filled(&t, ISG_F32, ROOM, 0, NULL, 0);
        const isg_array to = isg_matrix_mem(ISG_F32, mk, AT, ROWS, COLS);
        host.mask = what == 1 || what == 4 ? host_mask : (isg_array){.dtype = ISG_DTYPE_NONE};
        buffer.mask = what == 1 || what == 4 ? mask : host.mask;
        buffer.memory = what == 2 ? 1000 : 0;
        if (what < 3) {
            device_ok(context, isg_filter(context, in, out, &host));
            device_ok(context, isg_filter(context, from, to, &buffer));
        } else if (what < 5) {
            const isg_derived derived = what == 3 ? ISG_DERIVED_LAPLACIAN : ISG_DERIVED_UNSHARP;
            device_ok(context, isg_filter_derived(context, derived, in, &out, 1, isg_derived_params(.filter = host)));
            device_ok(context,
                      isg_filter_derived(context, derived, from, &to, 1, isg_derived_params(.filter = buffer)));
        } else {
            device_ok(context, isg_convolve(context, in, stencil, out, NULL));
            device_ok(context, isg_convolve(context, from, stencil, to, NULL));
        }
        float *got = read_back(t.queue, mk);
        device_same_bits(ISG_F32, got + AT, COUNT_, want, COUNT_, 1, COUNT_, "a filter in buffers");
        for (size_t i = 0; i < ROOM * sizeof *got; i++)
            ck_assert(((unsigned char *)got)[i] == 0xa5 || (i / sizeof *got >= AT && i / sizeof *got < AT + COUNT_));
        free(got);
        ck_assert_uint_eq(mem_holds(mk), 1);
        cl_ok(clReleaseMemObject(mk));
    }
    // In place is the very same view; a part of the same buffer that begins elsewhere must lie apart.
    buffer = host = (isg_filter_params){.sigma = {1.5}};
    device_ok(context, isg_filter(context, in, out, &host));
    isg_array other = from;
    other.offset = AT + 1;
    says(context, isg_filter(context, from, other, &buffer), ISG_ERR_ARGUMENT, "overlaps the input");
    device_ok(context, isg_filter(context, from, from, &buffer));
    float *got = read_back(t.queue, mx);
    device_same_bits(ISG_F32, got + AT, COUNT_, want, COUNT_, 1, COUNT_, "a filter in place in a buffer");
    free(got);
    // Buffers that kernels may not use so; the same ones the other way round will do.
    cl_mem read = new_buffer(t.context, CL_MEM_READ_ONLY, COUNT_ * sizeof *x, NULL),
           write = new_buffer(t.context, CL_MEM_WRITE_ONLY, COUNT_ * sizeof *x, NULL);
    const isg_array readable = isg_matrix_mem(ISG_F32, read, 0, ROWS, COLS),
                    writable = isg_matrix_mem(ISG_F32, write, 0, ROWS, COLS);
    cl_ok(clEnqueueWriteBuffer(t.queue, read, CL_TRUE, 0, COUNT_ * sizeof *x, x, 0, NULL, NULL));
    says(context, isg_filter(context, from, readable, &buffer), ISG_ERR_ARGUMENT, "may not write to its buffer");
    says(context, isg_filter(context, writable, from, &buffer), ISG_ERR_ARGUMENT, "may not read its buffer");
    device_ok(context, isg_filter(context, readable, writable, &buffer));
    got = read_back(t.queue, write);
    device_same_bits(ISG_F32, got, COUNT_, want, COUNT_, 1, COUNT_, "a filter of buffers for one thing each");
    free(got);
    buffer.mask = isg_matrix_mem(ISG_F32, write, 0, ROWS, COLS);
    says(context, isg_filter(context, in, out, &buffer), ISG_ERR_ARGUMENT, "the mask: kernels may not read its buffer");
    buffer.mask = isg_matrix_mem(ISG_F32, read, 0, ROWS, COLS);
    device_ok(context, isg_filter(context, in, out, &buffer));
    const cl_mem mems[] = {mx, mv, read, write};
    for (size_t i = 0; i < COUNT(mems); i++) {
        ck_assert_uint_eq(mem_holds(mems[i]), 1);
        cl_ok(clReleaseMemObject(mems[i]));
    }
    free(x);
    isg_context_destroy(&context);
    theirs_close(&t);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {contexts,
                                  out_of_order,
                                  refused_objects,
                                  parts_of_a_device,
                                  random_shapes,
                                  random_shapes_staged,
                                  random_shapes_in_parts,
                                  random_shapes_in_gpu_tiles,
                                  streamed,
                                  strided_points,
                                  between_their_kernels,
                                  not_waited_for,
                                  failed_events,
                                  bad_views,
                                  with_points,
                                  bad_events,
                                  overlaps,
                                  host_only,
                                  filters};
    return suite_run(suite_of("opencl", tests, COUNT(tests)));
}
