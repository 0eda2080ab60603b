// An OpenCL layer that changes the source of programs on their way to the driver, as a wrong compiler would. For
// test_mutations.py.
//
//   OPENCL_LAYERS=/path/of/this
//   ISOGRAM_PATCH=FILE      lines "PROGRAM<TAB>FROM<TAB>TO": every FROM in the source of cl/PROGRAM, or of any if it is
//                           *, becomes TO; later lines see what earlier ones did. "PROGRAM" alone: it cannot be made.
//                           "PROGRAM<TAB>OPTION": not without OPTION somewhere in the options of its build
//   ISOGRAM_PATCH_LOG=FILE  gets a line "loaded", and "PROGRAM<TAB>LINE<TAB>PLACES" for each line of the patch that is
//                           meant for a program that is made
//
// Whatever goes wrong here ends the process, so that no test takes an unpatched program for a patched one.
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl_layer.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t bytes, void *value, size_t *bytes_ret);
EXPORT cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch *target, cl_uint *count_ret,
                                      const cl_icd_dispatch **layer_ret);

static const cl_icd_dispatch *below;
static cl_icd_dispatch dispatch;

static void die(const char *what)
{
    fprintf(stderr, "patch_layer: %s\n", what);
    abort();
}

static FILE *open_named(const char *variable, const char *mode)
{
    const char *path = getenv(variable);
    FILE *file = path ? fopen(path, mode) : NULL;
    if (!file)
        die(variable);
    return file;
}

static FILE *open_text(char **text, size_t *bytes)
{
    FILE *stream = open_memstream(text, bytes);
    if (!stream)
        die("no memory");
    return stream;
}

static void close_file(FILE *file)
{
    if (fclose(file) != 0)
        die("what was written is not all there");
}

// The source in one piece, as a driver would join it.
static char *joined(cl_uint count, const char **strings, const size_t *lengths)
{
    char *text;
    size_t bytes;
    FILE *stream = open_text(&text, &bytes);
    for (cl_uint i = 0; i < count; i++)
        fwrite(strings[i], 1, lengths && lengths[i] ? lengths[i] : strlen(strings[i]), stream);
    close_file(stream);
    return text;
}

// text with `to` in every place of `from`; frees text.
static char *replaced(char *text, const char *from, const char *to, int *places)
{
    char *out;
    size_t bytes;
    FILE *stream = open_text(&out, &bytes);
    const char *at = text;
    *places = 0;
    for (const char *next; (next = strstr(at, from)) != NULL; at = next + strlen(from), ++*places) {
        fwrite(at, 1, (size_t)(next - at), stream);
        fputs(to, stream);
    }
    fputs(at, stream);
    close_file(stream);
    free(text);
    return out;
}

// What a line of the patch says; from and to: NULL where it has none.
typedef struct rule {
    char line[4096], *program, *from, *to;
} rule;

static bool next_rule(rule *r, FILE *patch)
{
    if (!fgets(r->line, sizeof r->line, patch))
        return false;
    r->line[strcspn(r->line, "\n")] = 0;
    r->program = r->line;
    r->from = strchr(r->line, '\t');
    r->to = r->from ? strchr(r->from + 1, '\t') : NULL;
    if (r->from)
        *r->from++ = 0;
    if (r->to)
        *r->to++ = 0;
    if (r->from && !*r->from)
        die("ISOGRAM_PATCH has a line that is none");
    return true;
}

static bool meant_for(const rule *r, const char *source)
{
    char name[64] = "?";
    sscanf(source, "#line 1 \"cl/%63[^\"]", name); // tools/embed.py begins every program so
    return strcmp(r->program, "*") == 0 || strcmp(r->program, name) == 0;
}

// text after all lines of the patch; NULL where one says that there is no such program. Frees text.
static char *patched(char *text)
{
    rule r;
    bool refused = false;
    FILE *patch = open_named("ISOGRAM_PATCH", "r"), *log = open_named("ISOGRAM_PATCH_LOG", "a");
    for (int at = 0; next_rule(&r, patch); at++) {
        int places = 1;
        if (!meant_for(&r, text))
            continue;
        if (r.to)
            text = replaced(text, r.from, r.to, &places);
        refused = refused || !r.from;
        fprintf(log, "%s\t%d\t%d\n", r.program, at, places);
    }
    fclose(patch);
    close_file(log);
    if (refused) {
        free(text);
        return NULL;
    }
    return text;
}

// Whether a line of the patch asks for an option that a build has not.
static bool wants_more(cl_program program, const char *options)
{
    rule r;
    size_t bytes;
    if (below->clGetProgramInfo(program, CL_PROGRAM_SOURCE, 0, NULL, &bytes) != CL_SUCCESS)
        die("a program without a source");
    char *source = calloc(bytes + 1, 1);
    if (!source || below->clGetProgramInfo(program, CL_PROGRAM_SOURCE, bytes, source, NULL) != CL_SUCCESS)
        die("a program without a source");
    bool wants = false;
    FILE *patch = open_named("ISOGRAM_PATCH", "r");
    while (next_rule(&r, patch))
        wants = wants || (r.from && !r.to && meant_for(&r, source) && !strstr(options, r.from));
    fclose(patch);
    free(source);
    return wants;
}

static cl_program CL_API_CALL create_program(cl_context context, cl_uint count, const char **strings,
                                             const size_t *lengths, cl_int *code)
{
    char *text = patched(joined(count, strings, lengths));
    if (!text) {
        if (code)
            *code = CL_OUT_OF_RESOURCES;
        return NULL;
    }
    const char *source = text;
    cl_program program = below->clCreateProgramWithSource(context, 1, &source, NULL, code);
    free(text);
    return program;
}

static cl_int CL_API_CALL build_program(cl_program program, cl_uint count, const cl_device_id *devices,
                                        const char *options, void(CL_CALLBACK *done)(cl_program, void *), void *user)
{
    if (wants_more(program, options ? options : ""))
        return CL_OUT_OF_RESOURCES;
    return below->clBuildProgram(program, count, devices, options, done, user);
}

#define LAYER_NAME "isogram patch"
#include "layer_info.h"

cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch *target, cl_uint *count_ret,
                               const cl_icd_dispatch **layer_ret)
{
    const cl_uint known = sizeof dispatch / sizeof(void *);
    cl_uint shared = count < known ? count : known;
    if (!target || !count_ret || !layer_ret || shared * sizeof(void *) <= offsetof(cl_icd_dispatch, clGetProgramInfo))
        return CL_INVALID_VALUE;
    below = target;
    memcpy(&dispatch, target, shared * sizeof(void *));
    dispatch.clCreateProgramWithSource = create_program;
    dispatch.clBuildProgram = build_program;
    *layer_ret = &dispatch;
    *count_ret = shared;
    FILE *log = open_named("ISOGRAM_PATCH_LOG", "a");
    fputs("loaded\n", log);
    close_file(log);
    return CL_SUCCESS;
}
