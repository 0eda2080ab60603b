// What both suites of isogram/npy.h share: a directory per test, files made by hand, and expectations. Every test
// starts in an empty directory of its own and must leave no descriptor open and no file behind that it did not name.
#ifndef NPY_FILES_H
#define NPY_FILES_H

#include <isogram/npy.h>

#include <check.h>

#include <stdbool.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

// Runs each test in its own directory; the exit status of main.
int run_tests(const char *suite_name, const TTest *const *tests, size_t count);

// The path of the test's directory, which is also the working directory.
const char *scratch_path(void);
// Files in a directory, hidden ones too; "." is the test's.
int count_files(const char *path);
bool exists(const char *path);

// Puts `with` in the place of standard input (0) or output (1), and closes `with`.
void redirect(int fd, int with);
void restore_standard(void);

// ---- Files made by hand ----

typedef struct image {
    unsigned char bytes[4096];
    size_t length;
} image;

void add(image *file, const void *bytes, size_t length);
// Magic, version, the length of `text`, and `text` itself.
image with_header(int version, const char *text);
// The text as numpy pads it, so that the data behind it starts at a multiple of 64.
image with_padded(int version, const char *text);
// Version 1.0 with these three values.
image described(const char *descr, const char *order, const char *shape);
void save(const char *path, const void *bytes, size_t length);
void save_image(const char *path, const image *file);
image read_back(const char *path);
// Makes the file, which a pipe must hold at once, standard input.
void pipe_in(const image *file);

// One end of a pipe for a thread: `length` bytes, of which `done` have passed.
typedef struct flow {
    int fd;
    unsigned char *bytes;
    size_t length, step, done;
} flow;

// Writes a flow in steps, so that the reader sees many short reads; closes the descriptor.
void *pour(void *user);
// Reads a flow to the end; closes the descriptor.
void *drain(void *user);

// ---- Expectations ----

isg_npy *opened(const char *path);
isg_npy *created(const char *path, isg_dtype dtype, int32_t ndim, const int64_t *shape);
void committed(isg_npy *npy);
// The message starts with the file's name and says `words` somewhere.
void check_error(const isg_error *error, isg_status status, isg_status wanted, const char *name, const char *words);
// Without gaps, in row-major or Fortran order.
void check_strides(const isg_array *array, bool fortran);
int64_t elements(const isg_array *array);
// Reads every byte, so that a sanitizer or a fault tells when the array leaves its memory.
unsigned sum_bytes(const isg_array *array);

#endif
