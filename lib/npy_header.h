// The header of a .npy file as text in memory: a Python dictionary of three literals, parsed and written. Knows no
// files.
#ifndef ISG_LIB_NPY_HEADER_H
#define ISG_LIB_NPY_HEADER_H

#include "base.h"

#define ISG_NPY_MAGIC "\x93NUMPY"
enum {
    ISG_NPY_MAGIC_BYTES = 6,
    ISG_NPY_HEADER_ROOM = 512, // what a written header fits in
};

typedef struct isg_npy_header {
    isg_dtype dtype; // ISG_DTYPE_NONE: a well-formed descr of a type that the library has not
    char descr[100]; // for messages: as in the file, but printable and perhaps cut
    bool fortran;
    int32_t ndim; // 0: a scalar
    int64_t shape[ISG_MAX_NDIM];
} isg_npy_header;

// Parses the text behind the magic, the version and the length. Returns NULL, or what is wrong with the text.
const char *isg_npy_parse_header(isg_npy_header *header, const char *text, int64_t bytes);

// Writes everything before the data of a row-major array, byte for byte as numpy.save does, and returns its length. Its
// dtype is one of the library's.
int64_t isg_npy_write_header(const isg_array *array, char header[ISG_NPY_HEADER_ROOM]);

#endif
