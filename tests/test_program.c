// Programs where drivers say no: to binaries from the cache, to questions about programs, to large work-groups. Some
// calls of OpenCL are defined here, in the place of the loader's: they fail as `refusing` says, and otherwise go on to
// the driver.
#include "device.h"

#include "program.h"

#include <isogram/opencl.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum refusal {
    NOTHING,
    THE_BINARY,      // clCreateProgramWithBinary fails
    ITS_STATE,       // … does not, but says that the binary is no good
    ITS_BUILD,       // clBuildProgram fails, of a program from a binary
    PROGRAM_DEVICES, // clGetProgramInfo fails, asked for …
    PROGRAM_SIZES,
    PROGRAM_BINARIES,
    NO_BINARY,     // … or tells of binaries without bytes
    OTHER_DEVICES, // … or of other devices
    BUILD_LOG,     // clGetProgramBuildInfo fails
    LONG_LOG,      // … or there is a lot to tell
    BLANK_LOG,     // … or nothing but blanks
} refusal;

static refusal refusing;
static bool from_binary;          // the last program that was made
static size_t largest_group;      // 0: the kernel's own, or
static bool no_group;             // none
static const char *replaced, *by; // in sources
static int binaries, sources;

// The loader's function behind the one of this file.
static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    ck_assert_msg(found != NULL, "no %s", name);
    return found;
}
#define NEXT(name)                                                                                                     \
    void *found = next(#name);                                                                                         \
    __typeof__(&name) call;                                                                                            \
    memcpy(&call, &found, sizeof call)

cl_program CL_API_CALL clCreateProgramWithBinary(cl_context context, cl_uint count, const cl_device_id *devices,
                                                 const size_t *bytes, const unsigned char **blobs, cl_int *states,
                                                 cl_int *code)
{
    NEXT(clCreateProgramWithBinary);
    binaries++;
    from_binary = true;
    if (refusing == THE_BINARY) {
        *code = CL_INVALID_BINARY;
        return NULL;
    }
    cl_program made = call(context, count, devices, bytes, blobs, states, code);
    if (refusing == ITS_STATE)
        *states = CL_INVALID_BINARY;
    return made;
}

cl_program CL_API_CALL clCreateProgramWithSource(cl_context context, cl_uint count, const char **texts,
                                                 const size_t *lengths, cl_int *code)
{
    NEXT(clCreateProgramWithSource);
    sources++;
    from_binary = false;
    const char *at = replaced ? strstr(texts[0], replaced) : NULL;
    if (!at)
        return call(context, count, texts, lengths, code);
    size_t room = strlen(texts[0]) + strlen(by) + 1;
    char *text = malloc(room);
    snprintf(text, room, "%.*s%s%s", (int)(at - texts[0]), texts[0], by, at + strlen(replaced));
    cl_program made = call(context, 1, (const char *[]){text}, NULL, code);
    free(text);
    return made;
}

cl_int CL_API_CALL clBuildProgram(cl_program program, cl_uint count, const cl_device_id *devices, const char *options,
                                  void(CL_CALLBACK *notify)(cl_program, void *), void *user)
{
    NEXT(clBuildProgram);
    return refusing == ITS_BUILD && from_binary ? CL_BUILD_PROGRAM_FAILURE
                                                : call(program, count, devices, options, notify, user);
}

cl_int CL_API_CALL clGetProgramInfo(cl_program program, cl_program_info what, size_t room, void *to, size_t *written)
{
    NEXT(clGetProgramInfo);
    if ((refusing == PROGRAM_DEVICES && what == CL_PROGRAM_DEVICES) ||
        (refusing == PROGRAM_SIZES && what == CL_PROGRAM_BINARY_SIZES) ||
        (refusing == PROGRAM_BINARIES && what == CL_PROGRAM_BINARIES))
        return CL_OUT_OF_RESOURCES;
    cl_int code = call(program, what, room, to, written);
    if (refusing == NO_BINARY && what == CL_PROGRAM_BINARY_SIZES)
        memset(to, 0, room);
    if (refusing == OTHER_DEVICES && what == CL_PROGRAM_DEVICES)
        memset(to, 0, room);
    return code;
}

cl_int CL_API_CALL clGetContextInfo(cl_context context, cl_context_info what, size_t room, void *to, size_t *written)
{
    NEXT(clGetContextInfo);
    cl_int code = call(context, what, room, to, written);
    if (refusing == OTHER_DEVICES && what == CL_CONTEXT_DEVICES && to)
        memset(to, 0, room);
    return code;
}

cl_int CL_API_CALL clGetProgramBuildInfo(cl_program program, cl_device_id device, cl_program_build_info what,
                                         size_t room, void *to, size_t *written)
{
    static char text[5000];
    NEXT(clGetProgramBuildInfo);
    if (refusing == BUILD_LOG)
        return CL_OUT_OF_RESOURCES;
    if (refusing != LONG_LOG && refusing != BLANK_LOG)
        return call(program, device, what, room, to, written);
    memset(text, refusing == LONG_LOG ? 'w' : ' ', sizeof text - 1);
    text[100] = '\n';
    if (to)
        memcpy(to, text, room < sizeof text ? room : sizeof text);
    if (written)
        *written = sizeof text;
    return CL_SUCCESS;
}

cl_int CL_API_CALL clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what,
                                            size_t room, void *to, size_t *written)
{
    NEXT(clGetKernelWorkGroupInfo);
    cl_int code = call(kernel, device, what, room, to, written);
    if ((largest_group || no_group) && what == CL_KERNEL_WORK_GROUP_SIZE && code == CL_SUCCESS)
        memcpy(to, &largest_group, sizeof largest_group);
    return code;
}

typedef struct seen {
    int warnings, compiler, compiled;
    char last[80];
} seen;

static void take_note(void *user, isg_log_level level, const char *message)
{
    seen *s = user;
    if (level == ISG_LOG_WARN) {
        s->warnings++;
        snprintf(s->last, sizeof s->last, "%s", message);
    }
    s->compiler += strncmp(message, "compiler, ", 10) == 0;
    s->compiled += strncmp(message, "compiled ", 9) == 0;
}

// A small K, right to the last bit, in a context with a disk cache.
static void compute(const char *folder, seen *s)
{
    enum { N = 40, D = 3 };
    isg_context *context;
    isg_error error = {ISG_OK, ""};
    suite_random random = suite_stream(1);
    *s = (seen){0};
    binaries = sources = 0;
    ck_assert_msg(isg_context_create(&context, isg_context_params(.cache_dir = folder, .log = take_note, .log_user = s,
                                                                  .error = &error)) == ISG_OK,
                  "%s", error.message);
    float *x = device_points(&random, ISG_F32, N * D, -1, 1), *k = device_guard(ISG_F32, N * N);
    isg_gram_params params = {.x = isg_matrix_f32(x, N, D)};
    float *want = device_expected(context, &params);
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram, &params));
    device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k, N, N)));
    device_same_bits(ISG_F32, k, N, want, N, N, N, "K");
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    device_guard_free(k, ISG_F32, N * N);
    free(want);
    free(x);
}

static void make_folder(char folder[64])
{
    strcpy(folder, "/tmp/isogram-programs-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(const char *folder)
{
    char command[80];
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

// A binary that the driver does not take is compiled anew, with a warning each.
START_TEST(refused_binaries)
{
    static const char *const codes[] = {[THE_BINARY] = "CL_INVALID_BINARY",
                                        [ITS_STATE] = "CL_INVALID_BINARY",
                                        [ITS_BUILD] = "CL_BUILD_PROGRAM_FAILURE"};
    char folder[64];
    seen s;
    make_folder(folder);
    compute(folder, &s);
    int programs = s.compiled;
    ck_assert(programs > 0 && binaries == 0 && s.warnings == 0);
    compute(folder, &s);
    ck_assert(s.compiled == 0 && sources == 0 && binaries > 0 && s.warnings == 0);
    int kept = binaries; // the probe's are not asked for any more
    for (refusing = THE_BINARY; refusing <= ITS_BUILD; refusing++) {
        compute(folder, &s);
        ck_assert_int_eq(binaries, kept);
        ck_assert_int_eq(sources, kept);
        ck_assert_int_eq(s.warnings, kept);
        ck_assert_msg(strstr(s.last, codes[refusing]) != NULL, "%s", s.last);
    }
    refusing = NOTHING;
    compute(folder, &s);
    ck_assert_int_eq(s.compiled, 0);
    remove_folder(folder);
}
END_TEST

// What a driver does not hand out is not kept; that is no failure.
START_TEST(binaries_that_are_not_to_be_had)
{
    for (refusing = PROGRAM_DEVICES; refusing <= OTHER_DEVICES; refusing++) {
        char folder[64];
        seen s;
        make_folder(folder);
        compute(folder, &s);
        int programs = s.compiled;
        ck_assert_int_gt(programs, 1);
        compute(folder, &s);
        ck_assert_int_gt(s.compiled, 0);
        ck_assert_int_eq(binaries, 0);
        ck_assert_int_eq(s.warnings, 0);
        remove_folder(folder);
    }
    refusing = NOTHING;
}
END_TEST

// What the compiler says goes to the log, unless it says nothing.
START_TEST(words_of_the_compiler)
{
    for (refusing = BUILD_LOG; refusing <= BLANK_LOG; refusing++) {
        seen s;
        compute("off", &s);
        ck_assert_int_gt(s.compiled, 0);
        ck_assert_int_eq(s.compiler, refusing == LONG_LOG ? s.compiled : 0);
    }
    refusing = NOTHING;
}
END_TEST

// Work-groups as small as a kernel's own limit asks for, down to one work-item.
START_TEST(small_groups)
{
    static const size_t limits[] = {1, 2, 6, 17, 0};
    enum { N = 70, M = 41, D = 5 };
    suite_random random = suite_stream(2);
    float *x = device_points(&random, ISG_F32, N * D, -1, 1), *y = device_points(&random, ISG_F32, M * D, -1, 1);
    float *k = device_guard(ISG_F32, N * M), *want = NULL;
    for (size_t i = 0; i < COUNT(limits); i++) {
        largest_group = limits[i];
        no_group = largest_group == 0; // a driver that says so of a kernel that it runs
        isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
        context->device.device_class = ISG_DEVICE_GPU_DISCRETE; // whose groups are of 8 x 8
        isg_gram_params params = {.x = isg_matrix_f32(x, N, D), .y = isg_matrix_f32(y, M, D), .sigma = 2};
        want = want ? want : device_expected(context, &params);
        isg_gram *gram;
        device_ok(context, isg_gram_create(context, &gram, &params));
        device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k, N, M)));
        device_same_bits(ISG_F32, k, M, want, M, N, M, "small groups");
        memset(k, 0, N * M * sizeof *k);
        isg_gram_destroy(&gram);
        isg_context_destroy(&context);
    }
    largest_group = 0;
    no_group = false;
    device_guard_free(k, ISG_F32, N * M);
    free(want);
    free(x);
    free(y);
}
END_TEST

static isg_context *open_with(isg_arithmetic arithmetic, isg_error *error)
{
    isg_context *context;
    *error = (isg_error){ISG_OK, ""};
    isg_context_create(&context, isg_context_params(.arithmetic = arithmetic, .cache_dir = "off", .error = error));
    return context;
}

// Devices that compute otherwise than they should: what the probe's own kernels are made to do. Such a device is
// refused by name, unless it is only its double precision that is wrong.
START_TEST(wrong_numbers)
{
    static const struct {
        const char *right, *wrong, *says;
    } cases[] = {
        {"product[i] = a[i] * b[i];", "product[i] = a[i] * b[i] * (scalar)1.0000005f;", "does not round float32"},
        {"sum[i] = a[i] + c[i];", "sum[i] = a[i] + c[i] * (scalar)1.0000005f;", "does not round float32"},
        {"unfused[i] = a[i] * b[i] + c[i];", "unfused[i] = fma(a[i], b[i], c[i]);", "fuses a * b + c in float32"},
        {"(ulong)(x < y)", "(ulong)(x < y / 2)", "computes wrong 64-bit integers"},
        {"STORE(e, exps + i * LANES);", "STORE(-e, exps + i * LANES);", "its self-check failed"},
        {"STORE(mul_normal(e, e), products", "STORE(mul_normal(e, -e), products", "its self-check failed"},
    };
    isg_error error;
    for (size_t i = 0; i < COUNT(cases); i++) {
        replaced = cases[i].right;
        by = cases[i].wrong;
        isg_context *context = open_with(ISG_ARITHMETIC_UNFUSED, &error);
        ck_assert_msg(!context, "case %d was not noticed", (int)i);
        ck_assert_int_eq(error.status, ISG_ERR_UNTRUSTED);
        ck_assert_msg(strstr(error.message, cases[i].says) != NULL, "%s", error.message);
    }
    replaced = "product[i] = a[i] * b[i];";
    by = "product[i] = a[i] * b[i];\n#if REAL_BITS == 64\nproduct[i] *= 1.5;\n#endif\n";
    isg_context *context = open_with(ISG_ARITHMETIC_UNFUSED, &error);
    ck_assert_msg(context != NULL, "%s", error.message);
    if (context->device.lanes_f64 > 0) {
        const isg_probe *p = isg_context_probe(context);
        ck_assert(p->trusted_f32 && !p->trusted_f64 && !p->rounds_to_nearest);
        ck_assert_int_eq(isg_context_require(context, ISG_F64), ISG_ERR_UNTRUSTED);
        ck_assert_ptr_nonnull(strstr(isg_context_error(context)->message, "does not round float64"));
    }
    replaced = NULL;
    isg_context_destroy(&context);
}
END_TEST

// An fma that rounds twice is not used: auto is unfused there, and fused arithmetic goes by integers, to the same bits.
START_TEST(wrong_fma)
{
    isg_error error;
    replaced = "fused[i] = fma(a[i], b[i], c[i]);";
    by = "fused[i] = a[i] * b[i] + c[i];";
    isg_context *context = open_with(ISG_ARITHMETIC_AUTO, &error);
    ck_assert_msg(context != NULL, "%s", error.message);
    ck_assert_str_eq(isg_context_contract(context, ISG_PRECISION_F32), "isogram-2/f32/unfused");
    isg_context_destroy(&context);
    context = open_with(ISG_ARITHMETIC_FUSED, &error);
    ck_assert_msg(context != NULL, "%s", error.message);
    ck_assert_str_eq(isg_context_contract(context, ISG_PRECISION_F32), "isogram-2/f32/fused");
    ck_assert(isg_context_probe(context)->fma_by_integers_f32 && !isg_context_probe(context)->fma_fused_f32);
    replaced = NULL;
    enum { N = 30, D = 3 };
    suite_random random = suite_stream(3);
    float *x = device_points(&random, ISG_F32, N * D, -1, 1), *k = device_guard(ISG_F32, N * N);
    isg_gram_params params = {.x = isg_matrix_f32(x, N, D)};
    float *want = device_expected(context, &params);
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram, &params));
    device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k, N, N)));
    device_same_bits(ISG_F32, k, N, want, N, N, N, "fma by integers");
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    device_guard_free(k, ISG_F32, N * N);
    free(want);
    free(x);
}
END_TEST

// A context of theirs that is of other devices than the one that is given with it.
START_TEST(contexts_of_other_devices)
{
    isg_context *own = device_open(ISG_ARITHMETIC_AUTO, 0), *context = own;
    isg_error error = {ISG_OK, ""};
    const isg_context_params params = {.cache_dir = "off", .error = &error};
    refusing = OTHER_DEVICES;
    ck_assert_int_eq(isg_context_from_opencl(&context, own->cl, own->device_id, NULL, &params), ISG_ERR_ARGUMENT);
    refusing = NOTHING;
    ck_assert_ptr_null(context);
    ck_assert_str_eq(error.message, "the device is not one of the OpenCL context's");
    ck_assert_int_eq(isg_context_from_opencl(&context, own->cl, own->device_id, NULL, &params), ISG_OK);
    isg_context_destroy(&context);
    isg_context_destroy(&own);
}
END_TEST

// Kernels and sources that are not there.
START_TEST(unknown_names)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    const isg_real_type type = {ISG_F32, false, 1};
    cl_kernel kernel = NULL;
    ck_assert_int_eq(isg_program_kernel(context, &kernel, "limits.cl", "no such kernel", type, ""), ISG_ERR_DEVICE);
    ck_assert_ptr_nonnull(strstr(isg_context_error(context)->message, "CL_INVALID_KERNEL_NAME"));
    isg_error_clear(&context->error);
    isg_program_kernel(context, &kernel, "none.cl", "pack", type, ""); // an empty program, which some compilers take
    ck_assert_ptr_null(kernel);
    isg_error_clear(&context->error);
    ck_assert_int_eq(isg_program_kernel(context, &kernel, "pack.cl", "pack", type, "-D LANES=nonsense("),
                     ISG_ERR_BUILD);
    ck_assert_ptr_nonnull(strstr(isg_context_error(context)->message, "pack.cl does not compile on "));
    isg_context_destroy(&context);
}
END_TEST

// A key is of all texts, or none: a list that does not fit has no key, and nothing is found or kept under it.
START_TEST(keys_of_many_texts)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    const char *texts[17] = {NULL};
    for (int count = 0; count <= 16; count++) {
        isg_cache_key before = isg_program_key(context, texts);
        ck_assert_int_eq(before.known, count <= 15);
        texts[count] = "text";
        isg_cache_key after = isg_program_key(context, texts);
        ck_assert(!after.known || memcmp(before.bytes, after.bytes, sizeof after.bytes) != 0);
        texts[16] = NULL;
    }
    isg_context_destroy(&context);
}
END_TEST

// Programs are forgotten by their file's whole name; and compilers for OpenCL C 1.1 are not told to be of 1.2.
START_TEST(names_of_programs)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    const isg_real_type type = {ISG_F32, false, 1};
    cl_kernel kernel = NULL, again = NULL;
    device_ok(context, isg_program_kernel(context, &kernel, "limits.cl", "limit_fill", type, ""));
    const isg_program *made = context->programs;
    isg_programs_forget(context, "limits");
    isg_programs_forget(context, "limits.cl ");
    isg_programs_forget(context, "grid.cl");
    ck_assert_ptr_eq(context->programs, made);
    device_ok(context, isg_program_kernel(context, &again, "limits.cl", "limit_fill", type, ""));
    ck_assert_ptr_eq(again, kernel);
    ck_assert_ptr_eq(context->programs, made);
    snprintf(context->device.c_version, sizeof context->device.c_version, "OpenCL C 1.1 made");
    device_ok(context, isg_program_kernel(context, &again, "limits.cl", "limit_fill", type, ""));
    ck_assert_ptr_ne(again, kernel);
    isg_programs_forget(context, "limits.cl");
    ck_assert_ptr_ne(context->programs, made);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {refused_binaries,      binaries_that_are_not_to_be_had,
                                  words_of_the_compiler, small_groups,
                                  wrong_numbers,         wrong_fma,
                                  keys_of_many_texts,    contexts_of_other_devices,
                                  names_of_programs,     unknown_names};
    return suite_run(suite_of("program", tests, COUNT(tests)));
}
