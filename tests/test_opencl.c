// A caller's OpenCL objects: contexts around them, tiles between their commands. The bits are those of host arrays, bad
// objects are refused, and nothing keeps a reference. Arrays in their buffers: test_views.c.
#include "theirs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
        ck_assert_uint_eq(theirs_queue_holds(t.queue), 1);
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
        ck_assert_uint_eq(theirs_queue_holds(queue), 1);
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
        cl_command_queue queue = theirs_queue(both, halves[0]);
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
            cl_command_queue queue = theirs_queue(both, halves[1]);
            ck_assert_int_eq(isg_context_from_opencl(&context, both, halves[1], queue,
                                                     isg_context_params(.cache_dir = folder, .log = count_compilations,
                                                                        .log_user = &compilations[i])),
                             ISG_OK);
            ck_assert_int_eq(isg_context_device(context)->device_index, -1);
            device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(x, 5, 3))));
            device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k[i], 5, 5)));
            isg_gram_destroy(&gram);
            isg_context_destroy(&context);
            ck_assert_uint_eq(theirs_queue_holds(queue), 1);
            cl_ok(clReleaseCommandQueue(queue));
        }
        ck_assert_mem_eq(k[0], k[1], sizeof k[0]);
        ck_assert_int_gt(compilations[0], 1);
        ck_assert_int_eq(compilations[1], 0);
        char command[80];
        snprintf(command, sizeof command, "rm -r %s", folder);
        ck_assert_int_eq(system(command), 0);
        ck_assert_uint_eq(theirs_context_holds(both), 1);
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
    cl_mem mx = theirs_filled(t, dtype, x_at + n * d + 3, x_at, x, n * d);
    cl_mem my = theirs_filled(t, dtype, y_at + m * d + 5, y_at, y, m * d);
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
        cl_mem mk = theirs_filled(t, dtype, count, 0, NULL, 0);
        isg_array k = isg_matrix_mem(dtype, mk, k_at, high, wide);
        k.strides[0] = stride;
        if (waits)
            device_ok(context, whole ? isg_gram_dense(gram, k) : isg_gram_tile(gram, a, b, k));
        else
            device_ok(context, isg_gram_tile_enqueue(gram, a, b, k, 0, NULL, NULL));
        char *got = theirs_read(isg_context_cl_queue(context), mk);
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
    ck_assert_uint_eq(theirs_mem_holds(mx), 1);
    ck_assert_uint_eq(theirs_mem_holds(my), 1);
    cl_ok(clReleaseMemObject(mx));
    cl_ok(clReleaseMemObject(my));
    free(want);
    free(x);
    free(y);
}

static void check_many(int64_t max_alloc_bytes, bool zero_copy, bool gpu, int rounds, int64_t most, int stream)
{
    theirs t = theirs_open();
    isg_context *context = theirs_wrap(&t, max_alloc_bytes);
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
    isg_context *context = theirs_wrap(&t, 0);
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
                mem = theirs_buffer(t.context, CL_MEM_WRITE_ONLY, (size_t)count * 4, NULL);
            } else if (i < 8) {
                cl_buffer_region region = {align / 8, (size_t)count * 4};
                cl_int code;
                whole = theirs_buffer(t.context, CL_MEM_READ_WRITE, (size_t)count * 4 + align, NULL);
                mem = clCreateSubBuffer(whole, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
                cl_ok(code);
            } else {
                mem = theirs_buffer(t.context, CL_MEM_USE_HOST_PTR, (size_t)count * 4, memory + 1);
            }
            isg_array k = isg_matrix_mem(ISG_F32, mem, offset, N, N);
            k.strides[0] = STRIDE;
            device_ok(context, isg_gram_dense(gram, k));
            float *got = theirs_read(t.queue, mem);
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
    isg_context *context = theirs_wrap(&t, 0);
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
        cl_mem whole = theirs_buffer(t.context, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, ROOM * element + align, host);
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
        ck_assert_uint_eq(theirs_mem_holds(part), 1);
        cl_ok(clReleaseMemObject(part));
        ck_assert_uint_eq(theirs_mem_holds(whole), 1);
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
        cl_mem mk = theirs_filled(&t, ISG_F32, N * M, 0, NULL, 0);
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
            ck_assert_int_eq(theirs_status(between), CL_COMPLETE);
            float *got = theirs_read(t.queue, mk);
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
    for (int i = 0; i < 4 && !theirs_must_wait(&t); i++) {
        isg_context *context = theirs_wrap(&t, i % 2 ? 20000 : 0);
        context->zero_copy = context->zero_copy && i < 2;
        float *want = device_expected_gram(context, isg_kernel_find("rbf"), ISG_F32, x, N, NULL, N, D, 0.25);
        cl_int code;
        cl_event gate = clCreateUserEvent(t.context, &code), done;
        cl_ok(code);
        cl_command_queue other = theirs_queue(t.context, t.device);
        cl_mem mk = theirs_filled(&t, ISG_F32, N * N, 0, NULL, 0);
        isg_array k = isg_matrix_mem(ISG_F32, mk, 0, N, N), half = k;
        half.shape[0] = N / 2;
        isg_gram *gram;
        device_ok(context,
                  isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix(ISG_F32, x, N, D), .gamma = 0.25)));
        device_ok(context, isg_gram_tile_enqueue(gram, 0, 0, k, 1, &gate, &done));
        // Once more behind it, with panels that are perhaps still to be packed.
        device_ok(context, isg_gram_tile_enqueue(gram, 0, 0, half, 0, NULL, NULL));
        ck_assert_int_gt(theirs_status(done), CL_COMPLETE);
        float *got = theirs_read(other, mk);
        for (int e = 0; e < N * N; e++)
            ck_assert_int_eq(((unsigned char *)(got + e))[0], 0xa5);
        free(got);
        cl_ok(clSetUserEventStatus(gate, CL_COMPLETE));
        cl_ok(clWaitForEvents(1, &done));
        cl_ok(clReleaseEvent(done));
        // Destroying waits for the rest.
        isg_gram_destroy(&gram);
        got = theirs_read(other, mk);
        device_same_bits(ISG_F32, got, N, want, N, N, N, "not waited for");
        free(got);
        isg_context_destroy(&context);
        ck_assert_uint_eq(theirs_event_holds(gate), 1);
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
    isg_context *context = theirs_wrap(&t, 0);
    float *want = device_expected_gram(context, isg_kernel_find("rbf"), ISG_F32, x, N, NULL, N, D, 0.25);
    for (int i = 0; i < 2 && !theirs_must_wait(&t); i++) {
        cl_int code;
        cl_event gate = clCreateUserEvent(t.context, &code), done, marker = NULL;
        cl_ok(code);
        cl_mem mk = theirs_filled(&t, ISG_F32, N * N, 0, NULL, 0);
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
        ck_assert_int_lt(theirs_status(done), 0);
        cl_ok(clReleaseEvent(done));
        clFinish(t.queue);
        float *got = theirs_read(t.queue, mk);
        ck_assert_int_eq(((unsigned char *)got)[0], 0xa5);
        free(got);
        theirs_says(context, isg_gram_tile_enqueue(gram, 0, 0, k, 1, &gate, &done), ISG_ERR_ARGUMENT,
                    "wait_list[0] has failed");
        ck_assert_ptr_null(done);
        device_ok(context, isg_gram_tile_enqueue(gram, 0, 0, k, 0, NULL, &done));
        cl_ok(clWaitForEvents(1, &done));
        cl_ok(clReleaseEvent(done));
        got = theirs_read(t.queue, mk);
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

int main(void)
{
    const TTest *const tests[] = {
        contexts,      out_of_order,         refused_objects,        parts_of_a_device,
        random_shapes, random_shapes_staged, random_shapes_in_parts, random_shapes_in_gpu_tiles,
        streamed,      strided_points,       between_their_kernels,  not_waited_for,
        failed_events};
    return suite_run(suite_of("opencl", tests, COUNT(tests)));
}
