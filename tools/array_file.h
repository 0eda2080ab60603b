// An array in a file, be it .npy or an image (image.h): told apart by the first bytes when it is read, by the name's
// ending or a given format when it is written. The array is used in the same way, whichever it is.
#ifndef ISG_TOOLS_ARRAY_FILE_H
#define ISG_TOOLS_ARRAY_FILE_H

#include "file.h"
#include "image.h"

#include <isogram/npy.h>

typedef struct array_file {
    isg_npy *npy;      // NULL: an image
    image image;       // format IMAGE_NONE: a .npy file
    isg_new_file file; // of an image that is written
    char label[ISG_FILE_LABEL_BYTES];
} array_file;

// What may be closed before anything was opened.
#define ARRAY_FILE_NONE ((array_file){.file = {.fd = -1, .directory = -1}})

// "-" is standard input. The message names the file. out: array_file_close it, also after a failure.
isg_status array_file_open(array_file *out, const char *path, isg_error *error);

// The array: read-only after open, writable and row-major after create. It belongs to the file.
const isg_array *array_file_array(const array_file *file);

// What a new file is to hold. format IMAGE_NONE: .npy. white and notes: of the image (image.h).
typedef struct array_file_kind {
    image_format format;
    isg_dtype dtype;
    int32_t ndim;
    const int64_t *shape;
    uint32_t white;
    const image_notes *notes; // NULL: none
} array_file_kind;

// Begins a new file, "-" is standard output; nothing is visible under `path` until array_file_commit, and a name or a
// type that cannot be is said now. out: array_file_close it, also after a failure.
isg_status array_file_create(array_file *out, const char *path, const array_file_kind *kind, isg_error *error);

// Writes a created file and puts it in its place whole, or leaves what was there.
isg_status array_file_commit(array_file *file, isg_error *error);

void array_file_close(array_file *file);

#endif
