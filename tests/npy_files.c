#include "npy_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[200];
static int home = -1, open_before, saved[2] = {-1, -1};

const char *scratch_path(void)
{
    return scratch;
}

int count_files(const char *path)
{
    DIR *directory = opendir(path);
    ck_assert_ptr_nonnull(directory);
    int count = 0;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count - 2;
}

bool exists(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0;
}

void redirect(int fd, int with)
{
    ck_assert_int_ge(with, 0);
    fflush(stdout);
    saved[fd] = dup(fd);
    dup2(with, fd);
    close(with);
}

void restore_standard(void)
{
    fflush(stdout);
    for (int fd = 0; fd < 2; fd++) {
        if (saved[fd] >= 0) {
            dup2(saved[fd], fd);
            close(saved[fd]);
        }
        saved[fd] = -1;
    }
}

static void setup(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(scratch, sizeof scratch, "%s/test_npy.XXXXXX", base ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(chdir(scratch), 0);
    open_before = count_files("/proc/self/fd");
}

static void teardown(void)
{
    restore_standard();
    int open_now = count_files("/proc/self/fd");
    DIR *directory = opendir(".");
    for (struct dirent *e; (e = readdir(directory));) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && unlink(e->d_name) != 0)
            rmdir(e->d_name);
    }
    closedir(directory);
    int back = fchdir(home);
    close(home);
    rmdir(scratch);
    ck_assert_int_eq(back, 0);
    ck_assert_msg(open_now == open_before, "%d descriptors before, %d after", open_before, open_now);
}

int run_tests(const char *suite_name, const TTest *const *tests, size_t count)
{
    signal(SIGPIPE, SIG_IGN);
    Suite *suite = suite_create(suite_name);
    for (size_t i = 0; i < count; i++) {
        TCase *one = tcase_create(tests[i]->name);
        tcase_add_checked_fixture(one, setup, teardown);
        tcase_add_test(one, tests[i]);
        suite_add_tcase(suite, one);
    }
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

void add(image *file, const void *bytes, size_t length)
{
    ck_assert_uint_le(file->length + length, sizeof file->bytes);
    memcpy(file->bytes + file->length, bytes, length);
    file->length += length;
}

image with_header(int version, const char *text)
{
    image file = {{0}, 0};
    size_t length = strlen(text);
    unsigned char little[4] = {(unsigned char)length, (unsigned char)(length >> 8), 0, 0};
    add(&file, "\x93NUMPY", 6);
    add(&file, (unsigned char[]){(unsigned char)version, 0}, 2);
    add(&file, little, version == 1 ? 2 : 4);
    add(&file, text, length);
    return file;
}

image with_padded(int version, const char *text)
{
    char padded[1024];
    size_t before = version == 1 ? 10 : 12, length = strlen(text);
    size_t total = (before + length + 1 + 63) / 64 * 64 - before;
    ck_assert_uint_lt(total, sizeof padded);
    snprintf(padded, sizeof padded, "%-*s\n", (int)total - 1, text);
    return with_header(version, padded);
}

image described(const char *descr, const char *order, const char *shape)
{
    char text[512];
    snprintf(text, sizeof text, "{'descr': %s, 'fortran_order': %s, 'shape': %s, }", descr, order, shape);
    return with_padded(1, text);
}

void save(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

void save_image(const char *path, const image *file)
{
    save(path, file->bytes, file->length);
}

image read_back(const char *path)
{
    image file = {{0}, 0};
    FILE *stream = fopen(path, "rb");
    ck_assert_msg(stream != NULL, "%s is not there", path);
    file.length = fread(file.bytes, 1, sizeof file.bytes, stream);
    fclose(stream);
    return file;
}

void pipe_in(const image *file)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], file->bytes, file->length), (ssize_t)file->length);
    close(ends[1]);
    redirect(0, ends[0]);
}

void *pour(void *user)
{
    flow *f = user;
    while (f->done < f->length) {
        size_t left = f->length - f->done;
        ssize_t put = write(f->fd, f->bytes + f->done, left < f->step ? left : f->step);
        if (put < 0)
            break;
        f->done += (size_t)put;
    }
    close(f->fd);
    return NULL;
}

void *drain(void *user)
{
    flow *f = user;
    for (ssize_t got; f->done < f->length; f->done += (size_t)got) {
        got = read(f->fd, f->bytes + f->done, f->length - f->done);
        if (got <= 0)
            break;
    }
    close(f->fd);
    return NULL;
}

isg_npy *opened(const char *path)
{
    isg_npy *npy = NULL;
    isg_error error;
    isg_status status = isg_npy_open(&npy, path, &error);
    ck_assert_msg(status == ISG_OK, "%s", error.message);
    ck_assert_int_eq(error.status, ISG_OK);
    ck_assert_ptr_nonnull(npy);
    return npy;
}

isg_npy *created(const char *path, isg_dtype dtype, int32_t ndim, const int64_t *shape)
{
    isg_npy *npy = NULL;
    isg_error error;
    isg_status status = isg_npy_create(&npy, path, dtype, ndim, shape, &error);
    ck_assert_msg(status == ISG_OK, "%s", error.message);
    ck_assert_ptr_nonnull(npy);
    return npy;
}

void committed(isg_npy *npy)
{
    isg_error error;
    isg_status status = isg_npy_commit(&npy, &error);
    ck_assert_msg(status == ISG_OK, "%s", error.message);
    ck_assert_ptr_null(npy);
}

void check_error(const isg_error *error, isg_status status, isg_status wanted, const char *name, const char *words)
{
    ck_assert_msg(status == wanted, "%s instead of %s: %s", isg_status_name(status), isg_status_name(wanted),
                  status ? error->message : "(no failure)");
    ck_assert_int_eq(error->status, wanted);
    size_t length = strlen(name);
    ck_assert_msg(strncmp(error->message, name, length) == 0, "'%s' does not start with '%s'", error->message, name);
    ck_assert_msg(strncmp(error->message + length, ": ", 2) == 0, "'%s': no colon", error->message);
    ck_assert_msg(strstr(error->message, words) != NULL, "'%s' lacks '%s'", error->message, words);
    ck_assert_ptr_null(strchr(error->message, '\n'));
}

void check_strides(const isg_array *array, bool fortran)
{
    int64_t stride = 1;
    for (int32_t i = 0; i < array->ndim; i++) {
        int32_t axis = fortran ? i : array->ndim - 1 - i;
        ck_assert_int_eq(array->strides[axis], stride);
        stride *= array->shape[axis];
    }
}

int64_t elements(const isg_array *array)
{
    int64_t count = 1;
    for (int32_t axis = 0; axis < array->ndim; axis++)
        count *= array->shape[axis];
    return count;
}

unsigned sum_bytes(const isg_array *array)
{
    const volatile unsigned char *bytes = array->data;
    unsigned sum = 0;
    for (size_t i = 0, n = (size_t)elements(array) * isg_dtype_bytes(array->dtype); i < n; i++)
        sum += bytes[i];
    return sum;
}
