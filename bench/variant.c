#include "variant.h"
#include "common.h"
#include "sources.h"

#include <string.h>

// The last one leaves it to the compiler what to fuse.
const variant variants[VARIANTS] = {
    {"contract, fused", true, NULL, false},
    {"contract, unfused", false, NULL, false},
    {"device's exp", true, "exp", false},
    {"device's native_exp", true, "native_exp", false},
    {"device's exp, relaxed, fma", true, "exp", true},
    {"device's exp, relaxed, a * b + c", false, "exp", true},
};

// The exponential alone, over an array that stays in the caches. A work-item has `count` vectors, `step` apart;
// work-item i begins at vector i * apart. For all that a compiler knows, y may be u: it cannot leave out a pass.
static const char exponential_kernel[] =
    "kernel void exponential(global const scalar *u, global scalar *y, int count, int apart, int step, int passes)\n"
    "{\n"
    "    long first = (long)get_global_id(0) * apart;\n"
    "    for (int p = 0; p < passes; p++)\n"
    "        for (int i = 0; i < count; i++) {\n"
    "            long at = (first + (long)i * step) * LANES;\n"
    "            STORE(exp_nonpositive(-LOAD(u + at)), y + at);\n"
    "        }\n"
    "}\n";

// A kernel of a variant; NULL where the device's compiler refused it.
typedef struct built {
    struct built *next;
    char *id;
    cl_program program;
    cl_kernel kernel;
} built;

static built *all;
struct bench bench;

// Replaces the first `from` that stands behind `landmark`, and fails when there is none: a variant that is not what its
// name says would be worse than no figure.
static char *replace(char *text, const char *landmark, const char *from, const char *to)
{
    char *at = strstr(text, landmark);
    at = at ? strstr(at, from) : NULL;
    if (!at)
        fail("the library's source has changed: the benchmark does not find what to replace");
    char *result = need(malloc(strlen(text) + strlen(to) + 1));
    sprintf(result, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    free(text);
    return result;
}

// The library's source as a variant has it. kernel: "gram", or "exponential", which stands in the place of gram.
static char *source_of(const variant *v, const char *kernel)
{
    const char *library = isg_source_text("gram.cl"), *gram = strstr(library, "kernel void gram(");
    if (!gram)
        fail("the library's source has changed: the benchmark does not find the kernel");
    bool alone = strcmp(kernel, "gram") != 0;
    char more[200] = "", call[40];
    if (v->exp) // not every native_exp has double precision, and a conversion to single would go unnoticed
        snprintf(more, sizeof more, "typedef char keeps_its_type[sizeof(%s(REAL(0))) == sizeof(real) ? 1 : -1];\n",
                 v->exp);
    char *text = need(malloc(strlen(library) + sizeof exponential_kernel + sizeof more));
    sprintf(text, "%.*s%s%s", (int)(gram - library), library, more, alone ? exponential_kernel : gram);
    if (v->exp) {
        snprintf(call, sizeof call, "%s(", v->exp);
        text = replace(text, alone ? "kernel void exponential(" : "real f_rbf(", "exp_nonpositive(", call);
    }
    if (v->relaxed)
        text = replace(text, "#pragma OPENCL FP_CONTRACT", "OFF", "ON");
    if (bench.placement && !alone) { // of 16 bytes each on x86, where loops begin at multiples of 16
        char shift[100];
        snprintf(shift, sizeof shift, "__asm__ volatile(\".rept %d; nop; .endr\");\n    for (int q = 0;",
                 16 * bench.placement);
        text = replace(text, "kernel void gram(", "for (int q = 0;", shift);
    }
    return text;
}

static void print_log(const isg_context *context, cl_program program)
{
    char log[4000] = "";
    clGetProgramBuildInfo(program, context->device_id, CL_PROGRAM_BUILD_LOG, sizeof log - 1, log, NULL);
    fprintf(stderr, "%.*s\n", (int)strcspn(log, "\n"), log);
}

static built *build(isg_context *context, const char *name, isg_real_type type, const char *build_options)
{
    const variant *v = &variants[bench.variant];
    bool wide = type.dtype == ISG_F64;
    char id[1300], text_options[1200];
    snprintf(text_options, sizeof text_options, "%s-D REAL_BITS=%d -D FUSED=%d -D LANES=%d %s%s%s",
             strcmp(context->device.c_version, "OpenCL C 1.2") >= 0 ? "-cl-std=CL1.2 " : "", wide ? 64 : 32, v->fused,
             (int)type.lanes, v->fused && context->fma_by_integers[wide] ? "-D FMA_BY_INTEGERS=1 " : "", build_options,
             v->relaxed ? " -cl-fast-relaxed-math -cl-mad-enable" : "");
    snprintf(id, sizeof id, "%d %d %s %s", bench.variant, bench.placement, name, text_options);
    for (built *b = all; b; b = b->next)
        if (strcmp(b->id, id) == 0)
            return b;
    built *b = need(calloc(1, sizeof *b));
    b->id = need(strdup(id));
    b->next = all;
    all = b;
    char *text = source_of(v, name);
    cl_int code;
    b->program = clCreateProgramWithSource(context->cl, 1, &(const char *){text}, NULL, &code);
    free(text);
    if (code != CL_SUCCESS)
        fail(isg_cl_error_name(code));
    code = clBuildProgram(b->program, 1, &context->device_id, text_options, NULL, NULL);
    if (code == CL_SUCCESS)
        b->kernel = clCreateKernel(b->program, name, &code);
    if (code != CL_SUCCESS) {
        bench.refused[wide][bench.variant] = true;
        fprintf(stderr, "%s, %s: refused (%s). ", dtype_word(type.dtype), v->name, isg_cl_error_name(code));
        print_log(context, b->program);
    }
    return b;
}

isg_status bench_kernel(isg_context *context, cl_kernel *kernel, const char *file, const char *name, isg_real_type type,
                        const char *build_options)
{
    if (strcmp(file, "gram.cl") != 0)
        fail("the benchmark knows gram.cl only");
    bench.mirrored = strstr(build_options, "SYMMETRIC=1") != NULL;
    *kernel = build(context, name, type, build_options)->kernel;
    return *kernel ? ISG_OK : isg_fail(&context->error, ISG_ERR_BUILD, "refused");
}

isg_status bench_run(isg_context *context, cl_kernel kernel, const isg_arg *args, int count, isg_range range)
{
    double start = isg_seconds();
    isg_status st = isg_run(context, kernel, args, count, range);
    if (!st)
        st = isg_finish(context);
    bench.seconds += isg_seconds() - start;
    return st;
}

void free_built(void)
{
    while (all) {
        built *b = all;
        all = b->next;
        if (b->kernel)
            clReleaseKernel(b->kernel);
        clReleaseProgram(b->program);
        free(b->id);
        free(b);
    }
}
