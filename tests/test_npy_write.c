// What isg_npy_create and isg_npy_commit promise: the bytes of a new file, and that it comes into its place whole or
// not at all.
#include "npy_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t one[] = {1}, four[] = {4};

static void refuses_create(const char *path, isg_dtype dtype, int32_t ndim, const int64_t *shape, isg_status wanted,
                           const char *words)
{
    int before = count_files(".");
    isg_npy *npy = (isg_npy *)&npy;
    isg_error error;
    isg_status status = isg_npy_create(&npy, path, dtype, ndim, shape, &error);
    ck_assert_ptr_null(npy);
    check_error(&error, status, wanted, path, words);
    ck_assert_int_eq(isg_npy_create(&npy, path, dtype, ndim, shape, NULL), wanted);
    ck_assert_int_eq(count_files("."), before);
}

// ---- Contents ----

START_TEST(writes_every_type_and_rank)
{
    static const isg_dtype types[] = {ISG_F32, ISG_F64, ISG_I8,  ISG_U8,  ISG_I16, ISG_U16,
                                      ISG_I32, ISG_U32, ISG_I64, ISG_U64, ISG_F16};
    static const int64_t extents[8] = {2, 1, 3, 1, 2, 1, 2, 3};
    for (size_t t = 0; t < COUNT(types); t++) {
        for (int32_t ndim = 1; ndim <= 8; ndim++) {
            isg_npy *npy = created("x.npy", types[t], ndim, extents);
            const isg_array *a = isg_npy_array(npy);
            ck_assert_int_eq(a->dtype, types[t]);
            ck_assert_int_eq(a->ndim, ndim);
            ck_assert_mem_eq(a->shape, extents, (size_t)ndim * sizeof *extents);
            check_strides(a, false);
            ck_assert_uint_eq((uintptr_t)a->data % 64, 0);
            size_t bytes = (size_t)elements(a) * isg_dtype_bytes(a->dtype);
            ck_assert_uint_eq(sum_bytes(a), 0);
            unsigned char data[1024];
            for (size_t i = 0; i < bytes; i++)
                data[i] = (unsigned char)(i * 29 + t + 1);
            memcpy(a->data, data, bytes);
            committed(npy);

            image file = read_back("x.npy");
            ck_assert_uint_eq((file.length - bytes) % 64, 0);
            ck_assert_int_eq(file.bytes[file.length - bytes - 1], '\n');
            ck_assert_mem_eq(file.bytes + file.length - bytes, data, bytes);
            npy = opened("x.npy");
            a = isg_npy_array(npy);
            ck_assert_int_eq(a->dtype, types[t]);
            ck_assert_int_eq(a->ndim, ndim);
            ck_assert_mem_eq(a->shape, extents, (size_t)ndim * sizeof *extents);
            check_strides(a, false);
            ck_assert_mem_eq(a->data, data, bytes);
            isg_npy_close(&npy);
            ck_assert_int_eq(count_files("."), 1);
        }
    }
}
END_TEST

// The bytes that numpy.save writes, of a numpy that leaves room to grow the first axis (1.23 and later).
START_TEST(writes_the_header_of_numpy)
{
    static const struct {
        isg_dtype dtype;
        int32_t ndim;
        int64_t shape[8];
        const char *descr, *tuple;
    } cases[] = {
        {ISG_F32, 2, {3, 4}, "<f4", "(3, 4)"},
        {ISG_U8, 1, {5}, "|u1", "(5,)"},
        {ISG_I16, 2, {0, 7}, "<i2", "(0, 7)"},
        {ISG_F16, 2, {3, 5}, "<f2", "(3, 5)"},
        {ISG_F64, 2, {5, 0}, "<f8", "(5, 0)"},
        {ISG_F64, 8, {1, 1, 1, 1, 1, 1, 1, 1}, "<f8", "(1, 1, 1, 1, 1, 1, 1, 1)"},
        // The longest that a shape within 64 bits can have: every header takes 128 bytes.
        {ISG_I8, 8, {0, 10, 10, 10, 10, 10, 10, 1000000000000}, "|i1", "(0, 10, 10, 10, 10, 10, 10, 1000000000000)"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        isg_npy *npy = created("x.npy", cases[i].dtype, cases[i].ndim, cases[i].shape);
        size_t bytes = (size_t)elements(isg_npy_array(npy)) * isg_dtype_bytes(cases[i].dtype);
        ck_assert_ptr_nonnull(isg_npy_array(npy)->data);
        committed(npy);
        image file = read_back("x.npy");
        ck_assert_uint_eq(file.length, 128 + bytes);
        char text[128], header[192];
        snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", cases[i].descr,
                 cases[i].tuple);
        snprintf(header, sizeof header, "%-*s\n", 128 - 11, text);
        ck_assert_mem_eq(file.bytes, "\x93NUMPY\x01\x00", 8);
        ck_assert_uint_eq(file.bytes[8] + 256u * file.bytes[9], 128u - 10);
        ck_assert_mem_eq(file.bytes + 10, header, 128u - 10);
        npy = opened("x.npy");
        ck_assert_mem_eq(isg_npy_array(npy)->shape, cases[i].shape, (size_t)cases[i].ndim * sizeof *cases[i].shape);
        isg_npy_close(&npy);
    }
}
END_TEST

START_TEST(checks_arguments_of_create_and_commit)
{
    isg_npy *npy = (isg_npy *)&npy;
    isg_error error;
    int64_t two = 2;
    ck_assert_int_eq(isg_npy_create(&npy, NULL, ISG_F32, 1, &two, &error), ISG_ERR_ARGUMENT);
    ck_assert_ptr_null(npy);
    ck_assert_int_eq(isg_npy_create(&npy, "", ISG_F32, 1, &two, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_npy_create(NULL, "x.npy", ISG_F32, 1, &two, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_npy_commit(NULL, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_npy_commit(&npy, &error), ISG_ERR_ARGUMENT);

    image file = described("'<f4'", "False", "(0,)");
    save_image("x.npy", &file);
    npy = opened("x.npy");
    isg_status status = isg_npy_commit(&npy, &error);
    check_error(&error, status, ISG_ERR_ARGUMENT, "x.npy", "reading");
    ck_assert_ptr_null(npy);
    ck_assert_int_eq(count_files("."), 1);
}
END_TEST

START_TEST(refuses_to_create)
{
    static const int64_t shape[] = {2, 3, 1, 1, 1, 1, 1, 1, 1}, negative[] = {2, -1};
    static const int64_t huge[] = {INT64_C(1) << 40, INT64_C(1) << 40}, stride[] = {0, INT64_MAX, 2};
    static const int64_t beyond[] = {INT64_C(1) << 59}, last[] = {INT64_MAX}, header[] = {INT64_MAX - 100},
                         bytes[] = {INT64_MAX / 8 + 1};
    mkdir("directory", 0777);
    save("file", "old", 3);
    refuses_create("missing/x.npy", ISG_F32, 2, shape, ISG_ERR_IO, strerror(ENOENT));
    refuses_create("file/x.npy", ISG_F32, 2, shape, ISG_ERR_IO, strerror(ENOTDIR));
    refuses_create("directory", ISG_F32, 2, shape, ISG_ERR_IO, strerror(EISDIR));
    refuses_create("directory/", ISG_F32, 2, shape, ISG_ERR_IO, strerror(EISDIR));
    refuses_create("missing/", ISG_F32, 2, shape, ISG_ERR_IO, "directory");
    refuses_create("x.npy", ISG_DTYPE_NONE, 2, shape, ISG_ERR_DTYPE, "element type");
    refuses_create("x.npy", ISG_DTYPE_COUNT, 2, shape, ISG_ERR_DTYPE, "element type");
    refuses_create("x.npy", ISG_F32, 2, NULL, ISG_ERR_ARGUMENT, "shape");
    refuses_create("x.npy", ISG_F32, 0, shape, ISG_ERR_SHAPE, "0 dimensions");
    refuses_create("x.npy", ISG_F32, 9, shape, ISG_ERR_SHAPE, "9 dimensions");
    refuses_create("x.npy", ISG_F32, 2, negative, ISG_ERR_SHAPE, "negative");
    refuses_create("x.npy", ISG_F32, 2, huge, ISG_ERR_OVERFLOW, "64 bits");
    refuses_create("x.npy", ISG_F32, 3, stride, ISG_ERR_OVERFLOW, "64 bits");
    refuses_create("x.npy", ISG_I8, 1, last, ISG_ERR_OVERFLOW, "64 bits");
    refuses_create("x.npy", ISG_I8, 1, header, ISG_ERR_OVERFLOW, "64 bits");
    refuses_create("x.npy", ISG_F64, 1, bytes, ISG_ERR_OVERFLOW, "addressed");
    refuses_create("x.npy", ISG_F64, 1, beyond, ISG_ERR_IO, "needs 4398046511105 MiB");
    rmdir("directory");
    ck_assert_uint_eq(read_back("file").length, 3);
    ck_assert_int_eq(count_files("."), 1);
}
END_TEST

// ---- Places ----

START_TEST(appears_only_on_commit)
{
    isg_npy *npy = created("x.npy", ISG_I32, 1, four);
    memset(isg_npy_array(npy)->data, 1, 16);
    ck_assert(!exists("x.npy"));
    isg_npy_close(&npy);
    ck_assert_ptr_null(npy);
    ck_assert_int_eq(count_files("."), 0);

    save("x.npy", "old", 3);
    npy = created("x.npy", ISG_I32, 1, four);
    memset(isg_npy_array(npy)->data, 1, 16);
    ck_assert_uint_eq(read_back("x.npy").length, 3);
    isg_npy_close(&npy);
    ck_assert_uint_eq(read_back("x.npy").length, 3);
    ck_assert_int_eq(count_files("."), 1);

    npy = created("x.npy", ISG_I32, 1, four);
    committed(npy);
    ck_assert_uint_eq(read_back("x.npy").length, 144);
    ck_assert_int_eq(count_files("."), 1);
}
END_TEST

START_TEST(replaces_its_own_input)
{
    image file = described("'<i4'", "False", "(4,)");
    int32_t data[4] = {1, 2, 3, 4};
    add(&file, data, sizeof data);
    save_image("x.npy", &file);
    isg_npy *in = opened("x.npy"), *out = created("x.npy", ISG_I32, 1, four);
    const int32_t *from = isg_npy_array(in)->data;
    int32_t *to = isg_npy_array(out)->data;
    for (int i = 0; i < 4; i++)
        to[i] = from[3 - i];
    committed(out);
    ck_assert_mem_eq(from, data, sizeof data);
    isg_npy_close(&in);
    in = opened("x.npy");
    ck_assert_int_eq(*(const int32_t *)isg_npy_array(in)->data, 4);
    isg_npy_close(&in);
}
END_TEST

START_TEST(obeys_the_umask)
{
    static const mode_t masks[] = {022, 077, 002, 0};
    mode_t before = umask(0);
    for (size_t i = 0; i < COUNT(masks); i++) {
        umask(masks[i]);
        committed(created("x.npy", ISG_U8, 1, one));
        struct stat about;
        ck_assert_int_eq(stat("x.npy", &about), 0);
        ck_assert_int_eq(about.st_mode & 0777, 0666 & ~masks[i]);
        ck_assert_int_eq(about.st_nlink, 1);
    }
    umask(before);
}
END_TEST

// A link is replaced like any file; what it names is left alone.
START_TEST(replaces_a_link)
{
    save("named", "old", 3);
    ck_assert_int_eq(symlink("named", "link.npy"), 0);
    ck_assert_int_eq(symlink("nowhere", "dangling.npy"), 0);
    const char *const links[] = {"link.npy", "dangling.npy"};
    for (size_t i = 0; i < COUNT(links); i++) {
        committed(created(links[i], ISG_U8, 1, one));
        struct stat about;
        ck_assert_int_eq(lstat(links[i], &about), 0);
        ck_assert(S_ISREG(about.st_mode));
    }
    ck_assert_uint_eq(read_back("named").length, 3);
    ck_assert(!exists("nowhere"));
    ck_assert_int_eq(count_files("."), 3);
}
END_TEST

START_TEST(finds_its_directory_again)
{
    mkdir("sub", 0777);
    isg_npy *npy = created("x.npy", ISG_U8, 1, one), *deep = created("sub/./y.npy", ISG_U8, 1, one);
    ck_assert_int_eq(chdir("/"), 0);
    committed(npy);
    committed(deep);
    ck_assert_int_eq(chdir(scratch_path()), 0);
    ck_assert(exists("x.npy"));
    ck_assert(exists("sub/y.npy"));
    unlink("sub/y.npy");
    char path[300];
    snprintf(path, sizeof path, "%s/z.npy", scratch_path());
    committed(created(path, ISG_U8, 1, one));
    ck_assert(exists("z.npy"));
}
END_TEST

START_TEST(takes_the_longest_name)
{
    char name[300];
    memset(name, 'n', sizeof name);
    name[255] = 0;
    committed(created(name, ISG_U8, 1, one));
    ck_assert(exists(name));
    unlink(name);
    name[255] = 'n';
    name[256] = 0;
    refuses_create(name, ISG_U8, 1, one, ISG_ERR_IO, strerror(ENAMETOOLONG));
}
END_TEST

START_TEST(leaves_nothing_when_the_place_is_taken)
{
    isg_npy *npy = created("x.npy", ISG_I32, 1, four);
    mkdir("x.npy", 0777);
    isg_error error;
    isg_status status = isg_npy_commit(&npy, &error);
    check_error(&error, status, ISG_ERR_IO, "x.npy", strerror(EISDIR));
    ck_assert_ptr_null(npy);
    ck_assert_int_eq(count_files("."), 1);
    rmdir("x.npy");

    mkdir("gone", 0777);
    npy = created("gone/x.npy", ISG_I32, 1, four);
    DIR *directory = opendir("gone");
    for (struct dirent *e; (e = readdir(directory));)
        unlinkat(dirfd(directory), e->d_name, 0);
    closedir(directory);
    rmdir("gone");
    status = isg_npy_commit(&npy, &error);
    check_error(&error, status, ISG_ERR_IO, "gone/x.npy", strerror(ENOENT));
    ck_assert_int_eq(count_files("."), 0);
}
END_TEST

START_TEST(reports_a_full_disk_at_once)
{
    static const int64_t fits[] = {16 << 10}, too_much[] = {100 << 10}, far_too_much[] = {3 << 20, 3};
    mkdir("small", 0777);
    if (mount("none", "small", "tmpfs", 0, "size=64k") != 0) {
        printf("skipped: a small file system cannot be mounted here: %s\n", strerror(errno));
        return;
    }
    isg_npy *npy = NULL;
    isg_error first, second, third;
    isg_status status = isg_npy_create(&npy, "small/x.npy", ISG_U8, 1, too_much, &first);
    isg_status status2 = isg_npy_create(&npy, "small/x.npy", ISG_U8, 2, far_too_much, &second);
    int left = count_files("small");
    isg_status status3 = isg_npy_create(&npy, "small/x.npy", ISG_U8, 1, fits, &third);
    if (!status3)
        status3 = isg_npy_commit(&npy, &third);
    int now = count_files("small");
    umount("small");
    check_error(&first, status, ISG_ERR_IO, "small/x.npy", "no space: needs 1 MiB");
    check_error(&second, status2, ISG_ERR_IO, "small/x.npy", "no space: needs 10 MiB");
    ck_assert_int_eq(left, 0);
    ck_assert_msg(status3 == ISG_OK, "%s", third.message);
    ck_assert_int_eq(now, 1);
}
END_TEST

// Writes the same file again and again; whoever reads it sees one of the versions, whole.
static void *write_often(void *user)
{
    unsigned char value = *(unsigned char *)user;
    const int64_t shape[] = {5000 + value};
    for (int i = 0; i < 100; i++) {
        isg_npy *npy;
        if (isg_npy_create(&npy, "x.npy", ISG_U8, 1, shape, NULL))
            return user;
        memset(isg_npy_array(npy)->data, value, (size_t)shape[0]);
        if (i % 4 == 3)
            isg_npy_close(&npy);
        else if (isg_npy_commit(&npy, NULL))
            return user;
    }
    return NULL;
}

START_TEST(serves_threads_side_by_side)
{
    unsigned char values[4] = {1, 2, 3, 4};
    pthread_t writers[4];
    committed(created("x.npy", ISG_U8, 1, (int64_t[]){5000}));
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&writers[i], NULL, write_often, &values[i]), 0);
    for (int i = 0; i < 100; i++) {
        isg_npy *npy = opened("x.npy");
        const isg_array *a = isg_npy_array(npy);
        ck_assert_uint_eq(sum_bytes(a), (unsigned)((a->shape[0] - 5000) * a->shape[0]));
        isg_npy_close(&npy);
    }
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(writers[i], &failed);
        ck_assert_ptr_null(failed);
    }
    ck_assert_int_eq(count_files("."), 1);
}
END_TEST

// ---- Streams ----

static void fails_to_commit(const char *path, const char *name, int reason)
{
    isg_npy *npy = created(path, ISG_I32, 1, four);
    isg_error error;
    isg_status status = isg_npy_commit(&npy, &error);
    restore_standard();
    ck_assert_ptr_null(npy);
    check_error(&error, status, ISG_ERR_IO, name, strerror(reason));
    ck_assert_int_eq(count_files("."), 0);
}

START_TEST(reports_a_stream_that_fails)
{
    fails_to_commit("/dev/full", "/dev/full", ENOSPC);
    redirect(1, open("/dev/full", O_WRONLY));
    fails_to_commit("-", "standard output", ENOSPC);
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    redirect(1, ends[1]);
    fails_to_commit("-", "standard output", EPIPE);

    redirect(1, dup(1));
    close(1);
    isg_npy *npy;
    isg_error error;
    isg_status status = isg_npy_create(&npy, "-", ISG_I32, 1, four, &error);
    restore_standard();
    check_error(&error, status, ISG_ERR_IO, "standard output", strerror(EBADF));
    committed(created("/dev/null", ISG_I32, 1, four));
    struct stat about;
    ck_assert_int_eq(stat("/dev/null", &about), 0);
    ck_assert(S_ISCHR(about.st_mode));
}
END_TEST

// What stands in the file already is kept: standard output is written to, not replaced, whatever it is called.
START_TEST(writes_to_standard_output)
{
    static const char *const names[] = {"-", "/dev/stdout", "/dev/fd/1"};
    for (size_t i = 0; i < COUNT(names); i++) {
        redirect(1, open("out", O_WRONLY | O_CREAT | O_TRUNC, 0666));
        ck_assert_int_eq(write(1, "before", 6), 6);
        isg_npy *npy = created(names[i], ISG_I32, 1, four);
        ck_assert_uint_eq((uintptr_t)isg_npy_array(npy)->data % 64, 0);
        memset(isg_npy_array(npy)->data, 7, 16);
        committed(npy);
        npy = created(names[i], ISG_I32, 1, four);
        isg_npy_close(&npy);
        ck_assert_int_eq(write(1, "after", 5), 5);
        restore_standard();
        image file = read_back("out");
        ck_assert_uint_eq(file.length, 6 + 144 + 5);
        ck_assert_mem_eq(file.bytes, "before\x93NUMPY", 12);
        ck_assert_mem_eq(file.bytes + 134, "\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7after", 21);
    }
    // What only begins like a descriptor's name is a file's, and none is made there.
    static const char *const others[] = {"/dev/fd/", "/dev/fd/x", "/dev/fd/1x", "/dev/fd/99999999999"};
    for (size_t i = 0; i < COUNT(others); i++) {
        isg_npy *npy = NULL;
        isg_error error = {ISG_OK, ""};
        ck_assert_int_eq(isg_npy_create(&npy, others[i], ISG_I32, 1, four, &error), ISG_ERR_IO);
        ck_assert_ptr_null(npy);
        ck_assert_msg(strncmp(error.message, others[i], strlen(others[i])) == 0, "%s", error.message);
    }
    struct stat about;
    ck_assert_int_eq(lstat("/dev/stdout", &about), 0);
    ck_assert(!S_ISREG(about.st_mode));
}
END_TEST

// More than a pipe holds, so that writes come up short; once with a descriptor that does not wait.
START_TEST(writes_to_pipes_and_fifos)
{
    static int32_t values[300001];
    for (size_t i = 0; i < COUNT(values); i++)
        values[i] = (int32_t)i * 7;
    ck_assert_int_eq(mkfifo("fifo.npy", 0666), 0);
    for (int way = 0; way < 3; way++) {
        flow f = {.length = 2 << 20};
        f.bytes = malloc(f.length);
        if (way < 2) {
            int ends[2];
            ck_assert_int_eq(pipe(ends), 0);
            f.fd = ends[0];
            redirect(1, ends[1]);
            if (way == 1)
                fcntl(1, F_SETFL, O_NONBLOCK);
        } else {
            f.fd = open("fifo.npy", O_RDONLY | O_NONBLOCK);
            fcntl(f.fd, F_SETFL, 0);
        }
        isg_npy *npy = created(way < 2 ? "-" : "fifo.npy", ISG_I32, 1, (int64_t[]){COUNT(values)});
        memcpy(isg_npy_array(npy)->data, values, sizeof values);
        pthread_t reader;
        ck_assert_int_eq(pthread_create(&reader, NULL, drain, &f), 0);
        committed(npy);
        restore_standard();
        pthread_join(reader, NULL);
        ck_assert_uint_eq(f.done, 128 + sizeof values);
        ck_assert(memcmp(f.bytes + 128, values, sizeof values) == 0);
        free(f.bytes);
    }
    ck_assert_int_eq(count_files("."), 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        writes_every_type_and_rank,
        writes_the_header_of_numpy,
        checks_arguments_of_create_and_commit,
        refuses_to_create,
        appears_only_on_commit,
        replaces_its_own_input,
        obeys_the_umask,
        replaces_a_link,
        finds_its_directory_again,
        takes_the_longest_name,
        leaves_nothing_when_the_place_is_taken,
        reports_a_full_disk_at_once,
        serves_threads_side_by_side,
        reports_a_stream_that_fails,
        writes_to_standard_output,
        writes_to_pipes_and_fifos,
    };
    return run_tests("npy_write", tests, COUNT(tests));
}
