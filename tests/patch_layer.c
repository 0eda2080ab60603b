// An OpenCL layer that changes the source of programs on their way to the driver, as a wrong compiler would. For
// test_mutations.py.
//
//   OPENCL_LAYERS=/path/of/this
//   ISOGRAM_PATCH=FILE      lines "PROGRAM<TAB>FROM<TAB>TO": every FROM in the source of cl/PROGRAM, or of any if it is
//                           *, becomes TO; later lines see what earlier ones did. "PROGRAM" alone: it cannot be made
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

// text after all lines of the patch; NULL where one says that there is no such program. Frees text.
static char *patched(char *text)
{
    char name[64] = "?", line[4096];
    bool refused = false;
    sscanf(text, "#line 1 \"cl/%63[^\"]", name); // tools/embed.py begins every program so
    FILE *patch = open_named("ISOGRAM_PATCH", "r"), *log = open_named("ISOGRAM_PATCH_LOG", "a");
    for (int at = 0; fgets(line, sizeof line, patch); at++) {
        line[strcspn(line, "\n")] = 0;
        char *from = strchr(line, '\t'), *to = from ? strchr(from + 1, '\t') : NULL;
        int places = 1;
        if (from && (!to || to == from + 1))
            die("ISOGRAM_PATCH has a line that is none");
        if (from)
            *from++ = *to++ = 0;
        if (strcmp(line, "*") != 0 && strcmp(line, name) != 0)
            continue;
        if (from)
            text = replaced(text, from, to, &places);
        refused = refused || !from;
        fprintf(log, "%s\t%d\t%d\n", name, at, places);
    }
    fclose(patch);
    close_file(log);
    if (refused) {
        free(text);
        return NULL;
    }
    return text;
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

cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t bytes, void *value, size_t *bytes_ret)
{
    static const char name[] = "isogram patch";
    static const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
    if (what != CL_LAYER_API_VERSION && what != CL_LAYER_NAME)
        return CL_INVALID_VALUE;
    const void *from = what == CL_LAYER_NAME ? (const void *)name : &version;
    size_t size = what == CL_LAYER_NAME ? sizeof name : sizeof version;
    if (value && bytes < size)
        return CL_INVALID_VALUE;
    if (value)
        memcpy(value, from, size);
    if (bytes_ret)
        *bytes_ret = size;
    return CL_SUCCESS;
}

cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch *target, cl_uint *count_ret,
                               const cl_icd_dispatch **layer_ret)
{
    const cl_uint known = sizeof dispatch / sizeof(void *);
    cl_uint shared = count < known ? count : known;
    if (!target || !count_ret || !layer_ret ||
        shared * sizeof(void *) <= offsetof(cl_icd_dispatch, clCreateProgramWithSource))
        return CL_INVALID_VALUE;
    below = target;
    memcpy(&dispatch, target, shared * sizeof(void *));
    dispatch.clCreateProgramWithSource = create_program;
    *layer_ret = &dispatch;
    *count_ret = shared;
    FILE *log = open_named("ISOGRAM_PATCH_LOG", "a");
    fputs("loaded\n", log);
    close_file(log);
    return CL_SUCCESS;
}
