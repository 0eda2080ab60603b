// IEEE binary16 as memory holds it.
//   isg_load_double gives the number of all 65536 halves.
//   half_bits of cl/half.h rounds once, to nearest even: around every half and every midpoint of two, for special
//   values, and for random numbers, by the definition and by the compiler's conversion.
//   half_bits on a device gives the host's bits, whatever the number of lanes.
#include "device.h"
#include "half_variant.h"

#include "base.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 3 << 12 };

static const half_variant *const variants[] = {&half_variant_32, &half_variant_64};

static double x[BLOCK]; // room for either precision
static uint16_t got[BLOCK], want[BLOCK];

static void put(const half_variant *v, int64_t i, double value)
{
    if (v->dtype == ISG_F64)
        x[i] = value;
    else
        ((float *)x)[i] = (float)value;
}

static void same(const half_variant *v, int64_t count, const char *what)
{
    for (int64_t i = 0; i < count; i++)
        ck_assert_msg(got[i] == want[i], "%s, %s: %a gives 0x%04x, not 0x%04x", what, isg_dtype_name(v->dtype),
                      isg_load_double(v->dtype, x, i), got[i], want[i]);
}

START_TEST(halves_are_numbers)
{
    uint16_t all[1 << 16];
    for (int h = 0; h < 1 << 16; h++)
        all[h] = (uint16_t)h;
    for (int h = 0; h < 1 << 16; h++) {
        int field = h >> 10 & 31, digits = h & 1023;
        double value = isg_load_double(ISG_F16, all, h);
        double right = field ? ldexp(1024 + digits, field - 25) : ldexp(digits, -24);
        ck_assert_int_eq(signbit(value) != 0, h >> 15);
        if (field == 31)
            ck_assert(digits ? isnan(value) : isinf(value));
        else
            ck_assert_msg(fabs(value) == right, "0x%04x is %a, not %a", (unsigned)h, fabs(value), right);
    }
    ck_assert_uint_eq(isg_dtype_bytes(ISG_F16), 2);
    ck_assert_str_eq(isg_dtype_name(ISG_F16), "float16");
}
END_TEST

START_TEST(rounds_between_all_halves)
{
    const half_variant *v = variants[_i];
    for (uint16_t h = 0; h <= (uint16_t)HALF_LARGEST; h++) {
        int64_t count = v->between(h, x, want);
        ck_assert_int_le(count, HALF_CASES);
        v->rounded(x, got, count);
        same(v, count, "the host");
    }
}
END_TEST

START_TEST(rounds_special_values)
{
    const half_variant *v = variants[_i];
    const struct {
        double x;
        uint16_t half;
    } cases[] = {
        {INFINITY, HALF_INFINITE},
        {0x1p16, HALF_INFINITE},
        {0x1p17, HALF_INFINITE},
        {0x1.fffffep127, HALF_INFINITE},
        {65520, HALF_INFINITE},
        {0x1.ffdffep15, 0x7bff},
        {65504, 0x7bff},
        {1, 0x3c00},
        {0x1p-14, 0x0400},
        {0x1.ff8p-15, 0x03ff},
        {0x1.ffcp-15, 0x0400},
        {0x1p-24, 1},
        {0x1.000002p-25, 1},
        {0x1p-25, 0},
        {0x1p-126, 0},
        {0x1p-149, 0},
        {0x0.fffffep-126, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        put(v, (int64_t)(2 * i), cases[i].x);
        put(v, (int64_t)(2 * i + 1), -cases[i].x);
        want[2 * i] = cases[i].half;
        want[2 * i + 1] = cases[i].half ? cases[i].half | HALF_SIGN : 0;
    }
    v->rounded(x, got, 2 * COUNT(cases));
    same(v, 2 * COUNT(cases), "the host");

    for (int bit = 0; bit < (v->dtype == ISG_F64 ? 52 : 23); bit++) { // every NaN is one
        for (int negative = 0; negative < 2; negative++) {
            uint64_t wide = 0x7ffull << 52 | 1ull << bit | (uint64_t)negative << 63;
            uint32_t narrow = 0xffu << 23 | 1u << bit % 23 | (uint32_t)negative << 31;
            memcpy(x, v->dtype == ISG_F64 ? (void *)&wide : (void *)&narrow, isg_dtype_bytes(v->dtype));
            v->rounded(x, got, 1);
            want[0] = HALF_NAN;
            same(v, 1, "the host");
        }
    }
}
END_TEST

// By the definition: between the largest half that is not above |value| and the next, the tie going to the even one.
static uint16_t nearest(double value)
{
    if (isnan(value))
        return HALF_NAN;
    uint16_t half = 0, next;
    double size = fabs(value);
    for (int step = 1 << 14; step > 0; step /= 2) {
        next = (uint16_t)(half + step);
        if (next <= HALF_LARGEST && isg_load_double(ISG_F16, &next, 0) <= size)
            half = next;
    }
    next = (uint16_t)(half + 1);
    double middle =
        (isg_load_double(ISG_F16, &half, 0) + (half == HALF_LARGEST ? 65536 : isg_load_double(ISG_F16, &next, 0))) / 2;
    if (size > middle || (size == middle && half % 2))
        half = next;
    return half && value < 0 ? half | HALF_SIGN : half;
}

START_TEST(rounds_random_numbers)
{
    const half_variant *v = variants[_i];
    suite_random random = suite_stream(1 + (uint64_t)_i);
    if (!v->by_compiler)
        printf("skipped: the compiler has no _Float16\n");
    for (int turn = 0; turn < 100; turn++) {
        v->draw(&random, x, BLOCK);
        v->rounded(x, got, BLOCK);
        for (int64_t i = 0; i < BLOCK; i++)
            want[i] = nearest(isg_load_double(v->dtype, x, i));
        same(v, BLOCK, "the host");
        if (v->by_compiler)
            v->by_compiler(x, got, BLOCK);
        same(v, BLOCK, "the compiler");
    }
}
END_TEST

// A source of the working tree, to be freed.
static char *source(const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", CL_SOURCES, name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s cannot be read", path);
    char *text = calloc(1, 1 << 16);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_lt(fread(text, 1, 1 << 16, file), 1 << 16);
    fclose(file);
    return text;
}

static const char *const kernel_text = "kernel void apply(global const bits *x, global bits *half_of)\n"
                                       "{\n"
                                       "    size_t i = get_global_id(0);\n"
                                       "    half_of[i] = half_bits(as_real(x[i]));\n"
                                       "}\n";

// got = half_bits(x) on the device, all of a lane's bits looked at.
static void apply(isg_context *context, const half_variant *v, int32_t lanes)
{
    static int64_t words[BLOCK];
    char options[100], log[2000] = "";
    char *texts[] = {source("real.h"), source("half.h")};
    memcpy(strstr(texts[1], "#include"), "//", 2); // OpenCL compilers find no files: the text stands in front
    snprintf(options, sizeof options, "-D REAL_BITS=%d -D LANES=%d", v->dtype == ISG_F64 ? 64 : 32, (int)lanes);
    cl_int code;
    const char *all[] = {texts[0], texts[1], kernel_text};
    cl_program program = clCreateProgramWithSource(context->cl, COUNT(all), all, NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    code = clBuildProgram(program, 1, &context->device_id, options, NULL, NULL);
    clGetProgramBuildInfo(program, context->device_id, CL_PROGRAM_BUILD_LOG, sizeof log - 1, log, NULL);
    ck_assert_msg(code == CL_SUCCESS, "%s does not build: %s", options, log);
    cl_kernel kernel = clCreateKernel(program, "apply", &code);
    ck_assert_int_eq(code, CL_SUCCESS);

    size_t bytes = isg_dtype_bytes(v->dtype) * BLOCK, items = BLOCK / (size_t)lanes;
    void *arrays[] = {x, words};
    cl_mem buffers[COUNT(arrays)];
    for (cl_uint i = 0; i < COUNT(arrays); i++) {
        buffers[i] = clCreateBuffer(context->cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, bytes, arrays[i], &code);
        ck_assert_int_eq(code, CL_SUCCESS);
        ck_assert_int_eq(clSetKernelArg(kernel, i, sizeof(cl_mem), &buffers[i]), CL_SUCCESS);
    }
    ck_assert_int_eq(clEnqueueNDRangeKernel(context->queue, kernel, 1, NULL, &items, NULL, 0, NULL, NULL), CL_SUCCESS);
    ck_assert_int_eq(clEnqueueReadBuffer(context->queue, buffers[1], CL_TRUE, 0, bytes, words, 0, NULL, NULL),
                     CL_SUCCESS);
    for (int64_t i = 0; i < BLOCK; i++) {
        double word = isg_load_double(v->dtype == ISG_F64 ? ISG_U64 : ISG_U32, words, i);
        got[i] = word < HALF_SIGN + HALF_INFINITE + 1 ? (uint16_t)word : 0xffff;
    }
    for (size_t i = 0; i < COUNT(arrays); i++)
        clReleaseMemObject(buffers[i]);
    clReleaseKernel(kernel);
    clReleaseProgram(program);
    for (size_t i = 0; i < COUNT(texts); i++)
        free(texts[i]);
}

START_TEST(device_gives_the_hosts_bits)
{
    const half_variant *v = variants[_i];
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    int32_t native = v->dtype == ISG_F64 ? context->device.lanes_f64 : context->device.lanes_f32;
    static const int32_t widths[] = {1, 2, 4, 8, 16};
    suite_random random = suite_stream(3 + (uint64_t)_i);
    if (native == 0)
        printf("skipped: %s has no %s\n", context->device.name, isg_dtype_name(v->dtype));
    // Some compilers cannot do vectors; those devices are given scalar code.
    for (size_t i = 0; i < (native == 0 ? 0 : native == 1 ? 1 : COUNT(widths)); i++) {
        v->draw(&random, x, BLOCK);
        for (int64_t at = 0; at < 16; at++) // what may be flushed, beside the random numbers
            put(v, at, ldexp(at % 2 ? -1.5 : 1.5, v->dtype == ISG_F64 ? -1018 - (int)at : -122 - (int)at));
        v->rounded(x, want, BLOCK);
        apply(context, v, widths[i]);
        same(v, BLOCK, "the device");
    }
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {rounds_between_all_halves, rounds_special_values, rounds_random_numbers,
                                  device_gives_the_hosts_bits};
    Suite *suite = suite_create("half");
    TCase *numbers = tcase_create("numbers"), *both = tcase_create("both precisions");
    tcase_add_test(numbers, halves_are_numbers);
    for (size_t i = 0; i < COUNT(tests); i++)
        tcase_add_loop_test(both, tests[i], 0, 2);
    tcase_set_timeout(both, 0);
    suite_add_tcase(suite, numbers);
    suite_add_tcase(suite, both);
    return suite_run(suite);
}
