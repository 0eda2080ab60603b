// Arrays in a caller's OpenCL buffers: which views are refused, with which events, and what may overlap; filters of
// them.
#include "points.h"
#include "theirs.h"

#include <isogram/convolve.h>
#include <isogram/derived.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    isg_context *context = theirs_wrap(&t, 0);
    const int64_t huge = (int64_t)1 << 62;
    cl_mem mem = theirs_filled(&t, ISG_F32, 100, 0, NULL, 0), foreign = theirs_filled(&u, ISG_F32, 100, 0, NULL, 0);
    cl_mem fixed = theirs_buffer(t.context, CL_MEM_READ_ONLY, 400, NULL);
    cl_mem hidden = theirs_buffer(t.context, CL_MEM_HOST_NO_ACCESS, 400, NULL);
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
            theirs_says(context, isg_gram_create(context, &bad, isg_gram_params(.x = a)), v->status, v->text);
            ck_assert_ptr_null(bad);
            theirs_says(context, isg_gram_create(context, &bad, isg_gram_params(.x = good, .y = a)), v->status,
                        v->text);
        }
        if (v->use & AS_K) {
            cl_event done = (cl_event)&a;
            theirs_says(context, isg_gram_tile(gram, 0, 0, a), v->status, v->text);
            theirs_says(context, isg_gram_tile_enqueue(gram, 0, 0, a, 0, NULL, &done), v->status, v->text);
            ck_assert_ptr_null(done);
        }
    }
    isg_array a = isg_matrix_mem(ISG_DTYPE_NONE, mem, 0, 2, 2);
    a.dtype = (isg_dtype)99;
    theirs_says(context, isg_gram_create(context, &bad, isg_gram_params(.x = a)), ISG_ERR_DTYPE, "element type");
    a = isg_matrix_mem(ISG_F32, mem, 0, 2, 2);
    a.ndim = 1;
    theirs_says(context, isg_gram_create(context, &bad, isg_gram_params(.x = a)), ISG_ERR_SHAPE, "1-dimensional");
    theirs_says(context, isg_gram_tile(gram, 0, 0, a), ISG_ERR_SHAPE, "matrix");
    a.ndim = 99;
    theirs_says(context, isg_gram_create(context, &bad, isg_gram_params(.x = a)), ISG_ERR_SHAPE, "99 dimensions");
    a = isg_matrix_mem(ISG_F64, mem, 0, 2, 2);
    theirs_says(context, isg_gram_tile(gram, 0, 0, a), ISG_ERR_DTYPE, "float64");
    cl_image_format format = {CL_RGBA, CL_FLOAT};
    cl_image_desc desc = {.image_type = CL_MEM_OBJECT_IMAGE2D, .image_width = 8, .image_height = 8};
    cl_int code;
    cl_mem image = clCreateImage(t.context, CL_MEM_READ_WRITE, &format, &desc, NULL, &code);
    if (code == CL_SUCCESS) {
        a = isg_matrix_mem(ISG_F32, image, 0, 2, 2);
        theirs_says(context, isg_gram_create(context, &bad, isg_gram_params(.x = a)), ISG_ERR_ARGUMENT, "not a buffer");
        theirs_says(context, isg_gram_tile(gram, 0, 0, a), ISG_ERR_ARGUMENT, "not a buffer");
        cl_ok(clReleaseMemObject(image));
    }
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    const cl_mem all[] = {mem, foreign, fixed, hidden};
    for (size_t i = 0; i < COUNT(all); i++) {
        ck_assert_uint_eq(theirs_mem_holds(all[i]), 1);
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
    isg_context *context = theirs_wrap(&t, 0);
    suite_random random = suite_stream(10);
    enum { ROWS = 40, N = 30, M = 21, D = 4 };
    float *x = device_points(&random, ISG_F32, ROWS * D, 0.5, 2), *y = device_points(&random, ISG_F32, M * D, 0.5, 2);
    cl_mem mx = theirs_filled(&t, ISG_F32, ROWS * D, 0, x, ROWS * D),
           my = theirs_filled(&t, ISG_F32, M * D, 0, y, M * D);
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
        cl_mem mk = theirs_filled(&t, ISG_F32, N * M, 0, NULL, 0);
        cl_event done;
        device_ok(context, isg_gram_create(context, &gram, &p));
        device_ok(context, isg_gram_tile_enqueue(gram, 0, 0, isg_matrix_mem(ISG_F32, mk, 0, N, M), 0, NULL, &done));
        cl_ok(clWaitForEvents(1, &done));
        cl_ok(clReleaseEvent(done));
        float *got = theirs_read(t.queue, mk);
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
    isg_context *context = theirs_wrap(&t, 0);
    cl_int code;
    cl_event mine = clCreateUserEvent(t.context, &code), foreign = clCreateUserEvent(u.context, &code);
    cl_ok(clSetUserEventStatus(mine, CL_COMPLETE));
    cl_mem mk = theirs_filled(&t, ISG_F32, 9, 0, NULL, 0);
    isg_array k = isg_matrix_mem(ISG_F32, mk, 0, 3, 3);
    float x[6] = {1, 2, 3, 4, 5, 6}, host[9];
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(x, 3, 2))));
    const cl_event with_foreign[] = {mine, mine, foreign}, with_null[] = {mine, NULL};
    cl_event done = mine;
    theirs_says(context, isg_gram_tile_enqueue(gram, 0, 0, k, 3, with_foreign, &done), ISG_ERR_ARGUMENT,
                "wait_list[2] belongs to another OpenCL context");
    ck_assert_ptr_null(done);
    theirs_says(context, isg_gram_tile_enqueue(gram, 0, 0, k, 2, with_null, &done), ISG_ERR_ARGUMENT,
                "wait_list[1] is NULL");
    theirs_says(context, isg_gram_tile_enqueue(gram, 0, 0, k, 1, NULL, &done), ISG_ERR_ARGUMENT, "no list");
    theirs_says(context, isg_gram_tile_enqueue(gram, 0, 0, isg_matrix_f32(host, 3, 3), 0, NULL, &done),
                ISG_ERR_ARGUMENT, "host memory");
    theirs_says(context, isg_gram_tile_enqueue(gram, 1, 0, k, 0, NULL, &done), ISG_ERR_SHAPE,
                "leaves the 3 x 3 operator");
    float *got = theirs_read(t.queue, mk);
    ck_assert_int_eq(((unsigned char *)got)[0], 0xa5);
    free(got);
    // A block of nothing is done when its events are.
    k.shape[0] = 0;
    device_ok(context, isg_gram_tile_enqueue(gram, 0, 0, k, 1, &mine, &done));
    cl_ok(clWaitForEvents(1, &done));
    cl_ok(clReleaseEvent(done));
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    ck_assert_uint_eq(theirs_event_holds(mine), 1);
    ck_assert_uint_eq(theirs_event_holds(foreign), 1);
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
    isg_context *context = theirs_wrap(&t, 0);
    enum { N = 8, D = 2, ROOM = 1024 };
    float *host = aligned_alloc(4096, ROOM * sizeof *host);
    for (int i = 0; i < ROOM; i++)
        host[i] = (float)(i % 7);
    cl_uint align = 0;
    cl_ok(clGetDeviceInfo(t.device, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof align, &align, NULL));
    cl_mem mem = theirs_filled(&t, ISG_F32, ROOM, 0, host, ROOM);
    cl_mem over = theirs_buffer(t.context, CL_MEM_USE_HOST_PTR, ROOM * sizeof *host, host);
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
            theirs_says(context, st, ISG_ERR_ARGUMENT, "K overlaps");
        else
            ck_assert_msg(st == ISG_OK, "case %d: %s", (int)c, isg_context_error(context)->message);
        if (k.mem && cases[c].meets)
            theirs_says(context, isg_gram_tile_enqueue(gram, 0, 0, k, 0, NULL, NULL), ISG_ERR_ARGUMENT, "K overlaps");
        isg_gram_destroy(&gram);
    }
    cl_ok(clReleaseMemObject(a));
    cl_ok(clReleaseMemObject(b));
    isg_context_destroy(&context);
    ck_assert_uint_eq(theirs_mem_holds(mem), 1);
    ck_assert_uint_eq(theirs_mem_holds(over), 1);
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
    isg_context *context = theirs_wrap(&t, 0);
    cl_mem mem = theirs_filled(&t, ISG_F32, 100, 0, NULL, 0);
    isg_array matrix = isg_matrix_mem(ISG_F32, mem, 0, 3, 3), vector = matrix;
    vector.ndim = 1;
    float x[6] = {1, 2, 3, 4, 5, 6};
    isg_gram *gram;
    isg_grid *grid;
    isg_points points;
    isg_error error = {ISG_OK, ""};
    device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(x, 3, 2))));
    theirs_says(context, isg_gram_diagonal(gram, vector), ISG_ERR_ARGUMENT, "host memory only");
    device_ok(context, isg_grid_create(context, &grid,
                                       isg_grid_params(.size = {3}, .sigma = {1}, .precision = ISG_PRECISION_F32)));
    theirs_says(context, isg_grid_fill(grid, matrix), ISG_ERR_ARGUMENT, "host memory only");
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
    isg_context *context = theirs_wrap(&t, 0);
    suite_random random = suite_stream(70);
    float *x = device_points(&random, ISG_F32, COUNT_, -2, 2), want[COUNT_];
    unsigned char valid[COUNT_];
    for (int i = 0; i < COUNT_; i++)
        valid[i] = i % 5 > 0;
    cl_mem mx = theirs_filled(&t, ISG_F32, ROOM, AT, x, COUNT_),
           mv = theirs_filled(&t, ISG_U8, ROOM, AT, valid, COUNT_);
    const isg_array in = isg_matrix_f32(x, ROWS, COLS), out = isg_matrix_f32(want, ROWS, COLS),
                    from = isg_matrix_mem(ISG_F32, mx, AT, ROWS, COLS);
    const isg_array host_mask = isg_matrix(ISG_U8, valid, ROWS, COLS),
                    mask = isg_matrix_mem(ISG_U8, mv, AT, ROWS, COLS);
    const double weights[6] = {1, -2, 3, 0.5, 2, 0.25};
    const isg_array stencil = isg_matrix_f64(weights, 2, 3);
    isg_filter_params host = {.sigma = {1.5}, .memory = 0}, buffer = host;
    for (int what = 0; what < 6; what++) { // filters: plain, masked, in blocks if they could be; derived ones; stencils
        cl_mem mk = theirs_filled(&t, ISG_F32, ROOM, 0, NULL, 0);
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
        float *got = theirs_read(t.queue, mk);
        device_same_bits(ISG_F32, got + AT, COUNT_, want, COUNT_, 1, COUNT_, "a filter in buffers");
        for (size_t i = 0; i < ROOM * sizeof *got; i++)
            ck_assert(((unsigned char *)got)[i] == 0xa5 || (i / sizeof *got >= AT && i / sizeof *got < AT + COUNT_));
        free(got);
        ck_assert_uint_eq(theirs_mem_holds(mk), 1);
        cl_ok(clReleaseMemObject(mk));
    }
    // In place is the very same view; a part of the same buffer that begins elsewhere must lie apart.
    buffer = host = (isg_filter_params){.sigma = {1.5}};
    device_ok(context, isg_filter(context, in, out, &host));
    isg_array other = from;
    other.offset = AT + 1;
    theirs_says(context, isg_filter(context, from, other, &buffer), ISG_ERR_ARGUMENT, "overlaps the input");
    device_ok(context, isg_filter(context, from, from, &buffer));
    float *got = theirs_read(t.queue, mx);
    device_same_bits(ISG_F32, got + AT, COUNT_, want, COUNT_, 1, COUNT_, "a filter in place in a buffer");
    free(got);
    // Buffers that kernels may not use so; the same ones the other way round will do.
    cl_mem read = theirs_buffer(t.context, CL_MEM_READ_ONLY, COUNT_ * sizeof *x, NULL),
           write = theirs_buffer(t.context, CL_MEM_WRITE_ONLY, COUNT_ * sizeof *x, NULL);
    const isg_array readable = isg_matrix_mem(ISG_F32, read, 0, ROWS, COLS),
                    writable = isg_matrix_mem(ISG_F32, write, 0, ROWS, COLS);
    cl_ok(clEnqueueWriteBuffer(t.queue, read, CL_TRUE, 0, COUNT_ * sizeof *x, x, 0, NULL, NULL));
    theirs_says(context, isg_filter(context, from, readable, &buffer), ISG_ERR_ARGUMENT, "may not write to its buffer");
    theirs_says(context, isg_filter(context, writable, from, &buffer), ISG_ERR_ARGUMENT, "may not read its buffer");
    device_ok(context, isg_filter(context, readable, writable, &buffer));
    got = theirs_read(t.queue, write);
    device_same_bits(ISG_F32, got, COUNT_, want, COUNT_, 1, COUNT_, "a filter of buffers for one thing each");
    free(got);
    buffer.mask = isg_matrix_mem(ISG_F32, write, 0, ROWS, COLS);
    theirs_says(context, isg_filter(context, in, out, &buffer), ISG_ERR_ARGUMENT,
                "the mask: kernels may not read its buffer");
    buffer.mask = isg_matrix_mem(ISG_F32, read, 0, ROWS, COLS);
    device_ok(context, isg_filter(context, in, out, &buffer));
    const cl_mem mems[] = {mx, mv, read, write};
    for (size_t i = 0; i < COUNT(mems); i++) {
        ck_assert_uint_eq(theirs_mem_holds(mems[i]), 1);
        cl_ok(clReleaseMemObject(mems[i]));
    }
    free(x);
    isg_context_destroy(&context);
    theirs_close(&t);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {bad_views, with_points, bad_events, overlaps, host_only, filters};
    return suite_run(suite_of("views", tests, COUNT(tests)));
}
