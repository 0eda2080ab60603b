// fma_by_integers of cl/fma.h: fma(a, b, c) = a b + c rounded once, to nearest even, in every case; NaN is any NaN.
//   The C library's fma and fmaf are right: MPFR says so of a part of the same arguments. (They are the processor's
//   where it has them, as here; elsewhere glibc and musl compute them in software.)
//   The function on the host gives the library's bits, on hard arguments and on every triple of special values.
//   The function on a device gives the host's bits, whatever the number of lanes.
#include "fma_variant.h"

#include "context.h"
#include "oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 14 };

static const fma_variant *const variants[] = {&fma_variant_32, &fma_variant_64};

typedef struct block {
    double a[BLOCK], b[BLOCK], c[BLOCK], got[BLOCK], want[BLOCK]; // room for either precision
} block;

static block work;

static double get(const fma_variant *v, const void *array, int64_t i)
{
    return isg_load_double(v->dtype, array, i);
}

static void same(const fma_variant *v, int64_t count, const char *what)
{
    int64_t i = v->difference(work.got, work.want, count);
    if (i >= 0)
        ck_abort_msg("%s, %s: fma(%a, %a, %a) gives %a, not %a", what, isg_dtype_name(v->dtype), get(v, work.a, i),
                     get(v, work.b, i), get(v, work.c, i), get(v, work.got, i), get(v, work.want, i));
}

START_TEST(library_is_right)
{
    const fma_variant *v = variants[_i];
    bool wide = v->dtype == ISG_F64;
    suite_random random = suite_stream(1 + (uint64_t)_i);
    mpfr_exp_t least = mpfr_get_emin(), greatest = mpfr_get_emax();
    mpfr_t a, b, c, result;
    mpfr_inits2(wide ? 53 : 24, a, b, c, result, (mpfr_ptr)NULL);
    mpfr_set_emin(wide ? -1073 : -148); // MPFR's mantissas are below 1
    mpfr_set_emax(wide ? 1024 : 128);
    int64_t count = BLOCK;
    for (int turn = 0; count > 0; turn++) {
        if (turn < 8)
            v->draw(&random, work.a, work.b, work.c, count);
        else
            count = v->special((turn - 8) * BLOCK, work.a, work.b, work.c, BLOCK);
        v->by_library(work.a, work.b, work.c, work.got, count);
        for (int64_t i = 0; i < count; i++) {
            mpfr_set_d(a, get(v, work.a, i), MPFR_RNDN);
            mpfr_set_d(b, get(v, work.b, i), MPFR_RNDN);
            mpfr_set_d(c, get(v, work.c, i), MPFR_RNDN);
            int direction = mpfr_fma(result, a, b, c, MPFR_RNDN);
            mpfr_subnormalize(result, direction, MPFR_RNDN);
            oracle_put(v->dtype, work.want, i, mpfr_get_d(result, MPFR_RNDN));
        }
        same(v, count, "the C library");
    }
    mpfr_set_emin(least);
    mpfr_set_emax(greatest);
    mpfr_clears(a, b, c, result, (mpfr_ptr)NULL);
}
END_TEST

START_TEST(host_gives_the_librarys_bits)
{
    const fma_variant *v = variants[_i];
    suite_random random = suite_stream(3 + (uint64_t)_i);
    for (int64_t left = v->dtype == ISG_F64 ? 300000 : 1000000; left > 0; left -= BLOCK) {
        v->draw(&random, work.a, work.b, work.c, BLOCK);
        v->by_integers(work.a, work.b, work.c, work.got, BLOCK);
        v->by_library(work.a, work.b, work.c, work.want, BLOCK);
        same(v, BLOCK, "the host");
    }
}
END_TEST

START_TEST(host_gives_the_librarys_bits_for_special_values)
{
    const fma_variant *v = variants[_i];
    int64_t count;
    for (int64_t first = 0; (count = v->special(first, work.a, work.b, work.c, BLOCK)) > 0; first += count) {
        v->by_integers(work.a, work.b, work.c, work.got, count);
        v->by_library(work.a, work.b, work.c, work.want, count);
        same(v, count, "the host");
    }
}
END_TEST

// Plain OpenCL, so that a device which the library would refuse is tested as well.
typedef struct device {
    isg_device info;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue;
} device;

// The device that a context would try first.
static device open_device(void)
{
    const char *spec = getenv("ISOGRAM_DEVICE");
    isg_candidate *list;
    isg_trouble trouble;
    int32_t count;
    isg_error error = {ISG_OK, ""};
    ck_assert_msg(isg_candidates(&list, &count, trouble, &error) == ISG_OK, "%s", error.message);
    int32_t at = 0;
    while (at < count && !isg_spec_matches(spec && *spec ? spec : "auto", &list[at].device))
        at++;
    ck_assert_msg(at < count, "no device");
    cl_int code;
    device d = {.info = list[at].device, .id = list[at].device_id};
    d.context = clCreateContext(NULL, 1, &d.id, NULL, NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    d.queue = clCreateCommandQueue(d.context, d.id, 0, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    free(list);
    return d;
}

static void close_device(device *d)
{
    clReleaseCommandQueue(d->queue);
    clReleaseContext(d->context);
}

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

static const char *const kernel_text = "kernel void apply(global const bits *a, global const bits *b,\n"
                                       "                  global const bits *c, global bits *result)\n"
                                       "{\n"
                                       "    size_t i = get_global_id(0);\n"
                                       "    result[i] = as_bits(FMA(as_real(a[i]), as_real(b[i]), as_real(c[i])));\n"
                                       "}\n";

// work.got = fma(work.a, work.b, work.c) on the device.
static void apply(const device *d, const fma_variant *v, int32_t lanes)
{
    char options[200], log[2000] = "";
    char *texts[] = {source("real.h"), source("fma.h")};
    memcpy(strstr(texts[1], "#include"), "//", 2); // OpenCL compilers find no files: the text stands in front
    snprintf(options, sizeof options, "-D REAL_BITS=%d -D LANES=%d -D FUSED=1 -D FMA_BY_INTEGERS=1",
             v->dtype == ISG_F64 ? 64 : 32, lanes);
    cl_int code;
    const char *all[] = {texts[0], texts[1], kernel_text};
    cl_program program = clCreateProgramWithSource(d->context, COUNT(all), all, NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    double start = isg_seconds();
    code = clBuildProgram(program, 1, &d->id, options, NULL, NULL);
    clGetProgramBuildInfo(program, d->id, CL_PROGRAM_BUILD_LOG, sizeof log - 1, log, NULL);
    ck_assert_msg(code == CL_SUCCESS, "%s does not build: %s", options, log);
    cl_kernel kernel = clCreateKernel(program, "apply", &code);
    ck_assert_int_eq(code, CL_SUCCESS);

    size_t bytes = isg_dtype_bytes(v->dtype) * BLOCK, items = BLOCK / (size_t)lanes;
    void *arrays[] = {work.a, work.b, work.c, work.got};
    cl_mem buffers[COUNT(arrays)];
    for (cl_uint i = 0; i < COUNT(arrays); i++) {
        buffers[i] = clCreateBuffer(d->context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, bytes, arrays[i], &code);
        ck_assert_int_eq(code, CL_SUCCESS);
        ck_assert_int_eq(clSetKernelArg(kernel, i, sizeof(cl_mem), &buffers[i]), CL_SUCCESS);
    }
    ck_assert_int_eq(clEnqueueNDRangeKernel(d->queue, kernel, 1, NULL, &items, NULL, 0, NULL, NULL), CL_SUCCESS);
    ck_assert_int_eq(clEnqueueReadBuffer(d->queue, buffers[3], CL_TRUE, 0, bytes, work.got, 0, NULL, NULL), CL_SUCCESS);
    printf("%s, %s, %d lanes: built and run in %.2f s\n", d->info.name, isg_dtype_name(v->dtype), lanes,
           isg_seconds() - start);

    for (size_t i = 0; i < COUNT(arrays); i++)
        clReleaseMemObject(buffers[i]);
    clReleaseKernel(kernel);
    clReleaseProgram(program);
    for (size_t i = 0; i < COUNT(texts); i++)
        free(texts[i]);
}

START_TEST(device_gives_the_hosts_bits)
{
    const fma_variant *v = variants[_i];
    device d = open_device();
    int32_t native = v->dtype == ISG_F64 ? d.info.lanes_f64 : d.info.lanes_f32;
    int32_t lanes[] = {1, 4, native};
    size_t count = native == 0 ? 0 : native == 1 || native == 4 ? 2 : 3;
    if (native == 0)
        printf("skipped: %s has no %s\n", d.info.name, isg_dtype_name(v->dtype));
    else if (strstr(d.info.name, "Oclgrind")) // 21.10 computes n - (x < y) as n + 255 in vectors; not used there
        count = 1;
    for (size_t i = 0; i < count; i++) {
        suite_random random = suite_stream(5 + (uint64_t)_i);
        v->draw(&random, work.a, work.b, work.c, BLOCK);
        v->by_integers(work.a, work.b, work.c, work.want, BLOCK);
        memset(work.got, 0, sizeof work.got);
        apply(&d, v, lanes[i]);
        same(v, BLOCK, "the device");
    }
    close_device(&d);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {library_is_right, host_gives_the_librarys_bits,
                                  host_gives_the_librarys_bits_for_special_values, device_gives_the_hosts_bits};
    Suite *suite = suite_create("fma");
    TCase *both = tcase_create("both precisions");
    for (size_t i = 0; i < COUNT(tests); i++)
        tcase_add_loop_test(both, tests[i], 0, 2);
    suite_add_tcase(suite, both);
    return suite_run(suite);
}
