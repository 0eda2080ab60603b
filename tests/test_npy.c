// The promises of isogram/npy.h: what is read, what is refused and how, and that a file comes into its place whole or
// not at all. Files are made by hand here, so that the reader is not tested against the writer alone. Every test starts
// in an empty directory of its own and must leave no descriptor open and no file behind that it did not name.
#include <isogram/npy.h>

#include <check.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

// ---- A directory per test ----

static char scratch[200];
static int home = -1, open_before, saved[2] = {-1, -1};

static int count_entries(const char *path)
{
    DIR *directory = opendir(path);
    ck_assert_ptr_nonnull(directory);
    int count = 0;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count - 2;
}

// Files in the test's directory, hidden ones too.
static int files(void)
{
    return count_entries(".");
}

static void restore_standard(void)
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

// Puts `with` in the place of standard input (0) or output (1), and closes `with`.
static void redirect(int fd, int with)
{
    ck_assert_int_ge(with, 0);
    fflush(stdout);
    saved[fd] = dup(fd);
    dup2(with, fd);
    close(with);
}

static void setup(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(scratch, sizeof scratch, "%s/test_npy.XXXXXX", base ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(chdir(scratch), 0);
    open_before = count_entries("/proc/self/fd");
}

static void teardown(void)
{
    restore_standard();
    int open_now = count_entries("/proc/self/fd");
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

// ---- Files made by hand ----

typedef struct image {
    unsigned char bytes[4096];
    size_t length;
} image;

static void add(image *file, const void *bytes, size_t length)
{
    ck_assert_uint_le(file->length + length, sizeof file->bytes);
    memcpy(file->bytes + file->length, bytes, length);
    file->length += length;
}

// Magic, version, the length of `text`, and `text` itself.
static image with_header(int version, const char *text)
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

// The text as numpy pads it, so that the data behind it starts at a multiple of 64.
static image with_padded(int version, const char *text)
{
    char padded[1024];
    size_t before = version == 1 ? 10 : 12, length = strlen(text);
    size_t total = (before + length + 1 + 63) / 64 * 64 - before;
    ck_assert_uint_lt(total, sizeof padded);
    snprintf(padded, sizeof padded, "%-*s\n", (int)total - 1, text);
    return with_header(version, padded);
}

static image described(const char *descr, const char *order, const char *shape)
{
    char text[512];
    snprintf(text, sizeof text, "{'descr': %s, 'fortran_order': %s, 'shape': %s, }", descr, order, shape);
    return with_padded(1, text);
}

static void save(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

static void save_image(const char *path, const image *file)
{
    save(path, file->bytes, file->length);
}

static image read_back(const char *path)
{
    image file = {{0}, 0};
    FILE *stream = fopen(path, "rb");
    ck_assert_msg(stream != NULL, "%s is not there", path);
    file.length = fread(file.bytes, 1, sizeof file.bytes, stream);
    fclose(stream);
    return file;
}

static bool exists(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0;
}

// ---- Expectations ----

static isg_npy *opened(const char *path)
{
    isg_npy *npy = NULL;
    isg_error error;
    isg_status status = isg_npy_open(&npy, path, &error);
    ck_assert_msg(status == ISG_OK, "%s", error.message);
    ck_assert_int_eq(error.status, ISG_OK);
    ck_assert_ptr_nonnull(npy);
    return npy;
}

static isg_npy *created(const char *path, isg_dtype dtype, int32_t ndim, const int64_t *shape)
{
    isg_npy *npy = NULL;
    isg_error error;
    isg_status status = isg_npy_create(&npy, path, dtype, ndim, shape, &error);
    ck_assert_msg(status == ISG_OK, "%s", error.message);
    ck_assert_ptr_nonnull(npy);
    return npy;
}

static void committed(isg_npy *npy)
{
    isg_error error;
    isg_status status = isg_npy_commit(&npy, &error);
    ck_assert_msg(status == ISG_OK, "%s", error.message);
    ck_assert_ptr_null(npy);
}

// The message starts with the file's name and says `words` somewhere.
static void check_error(const isg_error *error, isg_status status, isg_status wanted, const char *name,
                        const char *words)
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

static void refuses(const char *path, isg_status wanted, const char *words)
{
    bool standard = strcmp(path, "-") == 0;
    isg_npy *npy = (isg_npy *)&npy;
    isg_error error;
    isg_status status = isg_npy_open(&npy, path, &error);
    ck_assert_ptr_null(npy);
    check_error(&error, status, wanted, standard ? "standard input" : path, words);
    if (!standard)
        ck_assert_int_eq(isg_npy_open(&npy, path, NULL), wanted);
}

static void refuses_image(const image *file, isg_status wanted, const char *words)
{
    save_image("x.npy", file);
    refuses("x.npy", wanted, words);
}

static void refuses_create(const char *path, isg_dtype dtype, int32_t ndim, const int64_t *shape, isg_status wanted,
                           const char *words)
{
    int before = files();
    isg_npy *npy = (isg_npy *)&npy;
    isg_error error;
    isg_status status = isg_npy_create(&npy, path, dtype, ndim, shape, &error);
    ck_assert_ptr_null(npy);
    check_error(&error, status, wanted, path, words);
    ck_assert_int_eq(isg_npy_create(&npy, path, dtype, ndim, shape, NULL), wanted);
    ck_assert_int_eq(files(), before);
}

static int64_t elements(const isg_array *a)
{
    int64_t count = 1;
    for (int32_t axis = 0; axis < a->ndim; axis++)
        count *= a->shape[axis];
    return count;
}

// Reads every byte, so that a sanitizer or a fault tells when the array leaves its memory.
static unsigned sum_bytes(const isg_array *a)
{
    const volatile unsigned char *bytes = a->data;
    unsigned sum = 0;
    for (size_t i = 0, n = (size_t)elements(a) * isg_dtype_bytes(a->dtype); i < n; i++)
        sum += bytes[i];
    return sum;
}

static const struct {
    const char *descr;
    isg_dtype dtype;
} types[] = {
    {"'<f4'", ISG_F32}, {"'<f8'", ISG_F64}, {"'|i1'", ISG_I8},    {"'|u1'", ISG_U8},  {"'<i2'", ISG_I16},
    {"'<u2'", ISG_U16}, {"'<i4'", ISG_I32}, {"'<u4'", ISG_U32},   {"'<i8'", ISG_I64}, {"'<u8'", ISG_U64},
    {"'|b1'", ISG_U8},  {"'=f4'", ISG_F32}, {"'=f8'", ISG_F64},   {"'=i2'", ISG_I16}, {"'=u8'", ISG_U64},
    {"'=i1'", ISG_I8},  {"'<u1'", ISG_U8},  {"\"<f4\"", ISG_F32},
};
enum { WRITTEN_TYPES = 10 };

static const char *const shape_texts[9] = {
    "()",
    "(2,)",
    "(2, 1)",
    "(2, 1, 3)",
    "(2, 1, 3, 1)",
    "(2, 1, 3, 1, 2)",
    "(2,1,3,1,2,1)",
    "(2,1,3,1,2,1,2)",
    "(2,1,3,1,2,1,2,3,)",
};
static const int64_t extents[8] = {2, 1, 3, 1, 2, 1, 2, 3};

static void check_strides(const isg_array *a, bool fortran)
{
    int64_t stride = 1;
    for (int32_t i = 0; i < a->ndim; i++) {
        int32_t axis = fortran ? i : a->ndim - 1 - i;
        ck_assert_int_eq(a->strides[axis], stride);
        stride *= a->shape[axis];
    }
}

// ---- Reading ----

START_TEST(reads_every_type_and_rank)
{
    unsigned char data[1024];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 37 + 11);
    for (size_t t = 0; t < COUNT(types); t++) {
        for (int32_t ndim = 0; ndim <= 8; ndim++) {
            for (int fortran = 0; fortran < 2; fortran++) {
                image file = described(types[t].descr, fortran ? "True" : "False", shape_texts[ndim]);
                size_t bytes = isg_dtype_bytes(types[t].dtype);
                for (int32_t axis = 0; axis < ndim; axis++)
                    bytes *= (size_t)extents[axis];
                add(&file, data, bytes);
                save_image("x.npy", &file);
                isg_npy *npy = opened("x.npy");
                const isg_array *a = isg_npy_array(npy);
                ck_assert_int_eq(a->dtype, types[t].dtype);
                ck_assert_int_eq(a->ndim, ndim ? ndim : 1);
                for (int32_t axis = 0; axis < a->ndim; axis++)
                    ck_assert_int_eq(a->shape[axis], ndim ? extents[axis] : 1);
                check_strides(a, fortran);
                ck_assert_mem_eq(a->data, data, bytes);
                isg_npy_close(&npy);
                ck_assert_ptr_null(npy);
            }
        }
    }
}
END_TEST

START_TEST(reads_fortran_order)
{
    image file = described("'<i4'", "True", "(2, 3)");
    int32_t columns[6] = {1, 4, 2, 5, 3, 6};
    add(&file, columns, sizeof columns);
    save_image("x.npy", &file);
    isg_npy *npy = opened("x.npy");
    const isg_array *a = isg_npy_array(npy);
    const int32_t *x = a->data;
    for (int64_t i = 0, next = 1; i < 2; i++) {
        for (int64_t j = 0; j < 3; j++)
            ck_assert_int_eq(x[i * a->strides[0] + j * a->strides[1]], next++);
    }
    isg_npy_close(&npy);
}
END_TEST

START_TEST(reads_every_version)
{
    for (int version = 1; version <= 3; version++) {
        image file = with_padded(version, "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }");
        double data[3] = {1, -2, 0.5};
        add(&file, data, sizeof data);
        save_image("x.npy", &file);
        isg_npy *npy = opened("x.npy");
        ck_assert_mem_eq(isg_npy_array(npy)->data, data, sizeof data);
        isg_npy_close(&npy);
        for (int major = 0; major < 256; major += major == 0 ? 4 : 1) {
            file.bytes[6] = (unsigned char)major;
            refuses_image(&file, ISG_ERR_FORMAT, "version");
        }
        file.bytes[6] = (unsigned char)version;
        file.bytes[7] = 1;
        refuses_image(&file, ISG_ERR_FORMAT, "version");
    }
}
END_TEST

START_TEST(reads_headers_in_any_dress)
{
    static const char *const texts[] = {
        "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }\n",
        "{'descr':'<i2','fortran_order':False,'shape':(2,3)}",
        "{'shape':(2,3),'fortran_order':False,'descr':'<i2'}",
        "{\"fortran_order\": False, \"shape\": (2, 3), \"descr\": \"<i2\"}\n",
        "  {  'descr'  :  '<i2'  ,  'shape'  :  (  2  ,  3  ,  )  ,  'fortran_order'  :  False  ,  }  ",
        "\t\n{\r\n'shape'\f:\t(\n2\r,\t3\n)\n,'descr'\n:'<i2'\n,'fortran_order':\nFalse\n}\n\n\n",
        "{'descr': '<i2', 'fortran_order': False, 'shape': (2L, 3L), }\n",
    };
    int16_t data[6] = {1, -2, 3, -4, 5, -6};
    for (size_t i = 0; i < COUNT(texts); i++) {
        image file = with_header(1, texts[i]);
        add(&file, data, sizeof data);
        save_image("x.npy", &file);
        isg_npy *npy = opened("x.npy");
        const isg_array *a = isg_npy_array(npy);
        ck_assert_int_eq(a->dtype, ISG_I16);
        ck_assert_int_eq(a->ndim, 2);
        ck_assert_int_eq(a->shape[0], 2);
        ck_assert_int_eq(a->shape[1], 3);
        ck_assert_mem_eq(a->data, data, sizeof data);
        isg_npy_close(&npy);
    }
}
END_TEST

START_TEST(refuses_malformed_headers)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "not a dictionary"},
        {"\n", "not a dictionary"},
        {"('<f4', False, (2,))", "not a dictionary"},
        {"{", "string"},
        {"{}", "missing"},
        {"{,}", "string"},
        {"{'descr': '<f4', 'fortran_order': False}", "missing"},
        {"{'descr': '<f4', 'shape': (2,)}", "missing"},
        {"{'fortran_order': False, 'shape': (2,)}", "missing"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "twice"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}", "other"},
        {"{'descr': '<f4', 'fortran_order': False, 'shap': (2,)}", "other"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", "comma"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,),", "string"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", "behind"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}}", "behind"},
        {"{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}", "comma"},
        {"{'descr': '<f4',, 'fortran_order': False, 'shape': (2,)}", "string"},
        {"{'descr' '<f4', 'fortran_order': False, 'shape': (2,)}", "colon"},
        {"{'descr': , 'fortran_order': False, 'shape': (2,)}", "'descr'"},
        {"{'descr': 4, 'fortran_order': False, 'shape': (2,)}", "'descr'"},
        {"{'descr': None, 'fortran_order': False, 'shape': (2,)}", "'descr'"},
        {"{'descr': '<f4, 'fortran_order': False, 'shape': (2,)}", "comma"},
        {"{'descr': '<f4", "'descr'"},
        {"{'descr': '<f\\x34', 'fortran_order': False, 'shape': (2,)}", "'descr'"},
        {"{'descr': [('a', '<f4'), 'fortran_order': False, 'shape': (2,)}", "'descr'"},
        {"{'descr':", "'descr'"},
        {"{descr: '<f4', 'fortran_order': False, 'shape': (2,)}", "string"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", "fortran_order"},
        {"{'descr': '<f4', 'fortran_order': false, 'shape': (2,)}", "fortran_order"},
        {"{'descr': '<f4', 'fortran_order': Falsehood, 'shape': (2,)}", "comma"},
        {"{'descr': '<f4', 'fortran_order': 'False', 'shape': (2,)}", "fortran_order"},
        {"{'descr': '<f4', 'fortran_order': Fals", "fortran_order"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2)}", "not a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 2}", "not a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': [2]}", "not a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,,)}", "non-negative"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (,)}", "non-negative"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", "non-negative"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (+2,)}", "non-negative"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2.0,)}", "comma"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0x2,)}", "comma"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1_0,)}", "comma"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}", "comma"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (02,)}", "leading zeros"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (True,)}", "non-negative"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,", "non-negative"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2", "comma"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2)}", "more than 8"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}", "64 bits"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999,)}", "64 bits"},
    };
    float data[8] = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        image file = with_header(1, cases[i].text);
        add(&file, data, sizeof data);
        refuses_image(&file, ISG_ERR_FORMAT, cases[i].words);
    }
    image file = with_header(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} ");
    file.bytes[file.length - 1] = 0;
    add(&file, data, sizeof data);
    refuses_image(&file, ISG_ERR_FORMAT, "behind");
}
END_TEST

START_TEST(refuses_other_types_by_name)
{
    static const char *const descrs[] = {
        "'>f4'",         "'>f8'",     "'>i2'",
        "'>i8'",         "'>u1'",     "'<f2'",
        "'<f16'",        "'<c8'",     "'<c16'",
        "'|O'",          "'|S3'",     "'<U2'",
        "'|V4'",         "'<M8[s]'",  "'|f4'",
        "'f4'",          "''",        "'<'",
        "'<f'",          "'<f44'",    "'!f4'",
        "'<b8'",         "'float32'", "[('a', '<f4'), ('b', '<i4', (2, 2))]",
        "('<f4', (2,))", "[]",        "[(']', \"<f4\")]",
    };
    char data[256] = {0};
    for (size_t i = 0; i < COUNT(descrs); i++) {
        image file = described(descrs[i], "False", "(2,)");
        add(&file, data, sizeof data);
        refuses_image(&file, ISG_ERR_DTYPE, descrs[i]);
    }
    // What would spoil a terminal or the line is replaced, what is long is cut.
    image file = described("'<f4\x1b[31m\xc3\xa4'", "False", "(2,)");
    refuses_image(&file, ISG_ERR_FORMAT, "'descr'");
    file = described("'<f4\x7f\xc3\xa4'", "False", "(2,)");
    refuses_image(&file, ISG_ERR_DTYPE, "'<f4\?\?\?'");
    char list[400] = "[";
    while (strlen(list) < 380)
        strcat(list, "('a', '<f4'), ");
    strcat(list, "]");
    file = described(list, "False", "(2,)");
    refuses_image(&file, ISG_ERR_DTYPE, "'<f4'...; known are");
}
END_TEST

START_TEST(refuses_every_truncation)
{
    for (int version = 1; version <= 3; version++) {
        image file = with_padded(version, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }");
        double data[4] = {1, 2, 3, 4};
        add(&file, data, sizeof data);
        image cut = file;
        for (cut.length = 0; cut.length < file.length; cut.length++) {
            char words[80];
            snprintf(words, sizeof words, "cut short: %zu bytes of ", cut.length);
            refuses_image(&cut, ISG_ERR_FORMAT, cut.length ? words : "empty");
            int ends[2];
            ck_assert_int_eq(pipe(ends), 0);
            ck_assert_int_eq(write(ends[1], cut.bytes, cut.length), (ssize_t)cut.length);
            close(ends[1]);
            redirect(0, ends[0]);
            refuses("-", ISG_ERR_FORMAT, cut.length ? words : "empty");
            restore_standard();
        }
        char words[80];
        snprintf(words, sizeof words, "cut short: %zu bytes of %zu", file.length - 1, file.length);
        cut.length = file.length - 1;
        refuses_image(&cut, ISG_ERR_FORMAT, words);
        save_image("x.npy", &file);
        isg_npy *npy = opened("x.npy");
        isg_npy_close(&npy);
    }
}
END_TEST

START_TEST(survives_every_changed_byte)
{
    int accepted = 0;
    for (int version = 1; version <= 2; version++) {
        image file = with_padded(version, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }");
        size_t header = file.length;
        char data[48] = {0};
        add(&file, data, sizeof data);
        int fd = open("x.npy", O_RDWR | O_CREAT, 0666);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pwrite(fd, file.bytes, file.length, 0), (ssize_t)file.length);
        for (size_t at = 0; at < header; at++) {
            for (int value = 0; value < 256; value++) {
                unsigned char byte = (unsigned char)value;
                ck_assert_int_eq(pwrite(fd, &byte, 1, (off_t)at), 1);
                isg_npy *npy = NULL;
                isg_error error;
                isg_status status = isg_npy_open(&npy, "x.npy", &error);
                ck_assert_int_eq(status == ISG_OK, npy != NULL);
                if (status) {
                    ck_assert(status == ISG_ERR_FORMAT || status == ISG_ERR_DTYPE);
                    check_error(&error, status, status, "x.npy", "");
                    continue;
                }
                const isg_array *a = isg_npy_array(npy);
                ck_assert_uint_le((size_t)elements(a) * isg_dtype_bytes(a->dtype), file.length);
                sum_bytes(a);
                accepted++;
                isg_npy_close(&npy);
            }
            ck_assert_int_eq(pwrite(fd, file.bytes + at, 1, (off_t)at), 1);
        }
        close(fd);
        unlink("x.npy");
    }
    ck_assert_int_gt(accepted, 0);
}
END_TEST

START_TEST(refuses_impossible_shapes)
{
    static const struct {
        const char *shape, *words;
    } cases[] = {
        {"(9223372036854775807,)", "cannot be addressed"},
        {"(4611686018427387904,)", "cannot be addressed"},
        {"(4294967296, 4294967296)", "64 bits"},
        {"(4294967296, 4294967296, 4294967296, 4294967296)", "64 bits"},
        {"(0, 4294967296, 4294967296)", "64 bits"},
        {"(4294967296, 4294967296, 0)", "64 bits"},
        {"(1099511627776,)", "cut short"},
        {"(1048576, 1048576)", "cut short"},
        {"(1152921504606846975,)", ""},
        {"(5,)", "cut short"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int fortran = 0; fortran < 2; fortran++) {
            image file = described("'<f4'", fortran ? "True" : "False", cases[i].shape);
            float data[4] = {1, 2, 3, 4};
            add(&file, data, sizeof data);
            refuses_image(&file, ISG_ERR_FORMAT, cases[i].words);
            int ends[2];
            ck_assert_int_eq(pipe(ends), 0);
            ck_assert_int_eq(write(ends[1], file.bytes, file.length), (ssize_t)file.length);
            close(ends[1]);
            redirect(0, ends[0]);
            refuses("-", ISG_ERR_FORMAT, cases[i].words);
            restore_standard();
        }
    }
}
END_TEST

START_TEST(refuses_long_headers)
{
    image file = with_header(2, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n");
    memset(file.bytes + 8, 0xff, 4);
    refuses_image(&file, ISG_ERR_FORMAT, "a header of 4294967295 bytes");
    memcpy(file.bytes + 8, "\x01\x00\x01\x00", 4);
    refuses_image(&file, ISG_ERR_FORMAT, "a header of 65537 bytes");
    memcpy(file.bytes + 8, "\x00\x00\x01\x00", 4);
    refuses_image(&file, ISG_ERR_FORMAT, "cut short");
}
END_TEST

START_TEST(reads_unaligned_data)
{
    for (int extra = 0; extra < 9; extra++) {
        char text[128];
        snprintf(text, sizeof text, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}%*s\n", extra, "");
        image file = with_header(1, text);
        double data[4] = {1.5, -2.5, 3.5, -4.5};
        add(&file, data, sizeof data);
        save_image("x.npy", &file);
        isg_npy *npy = opened("x.npy");
        const isg_array *a = isg_npy_array(npy);
        ck_assert_uint_eq((uintptr_t)a->data % sizeof(double), 0);
        ck_assert_mem_eq(a->data, data, sizeof data);
        isg_npy_close(&npy);
    }
}
END_TEST

START_TEST(reads_past_trailing_bytes)
{
    image file = described("'<i4'", "False", "(2,)");
    int32_t data[3] = {1, 2, 3};
    add(&file, data, sizeof data);
    save_image("x.npy", &file);
    isg_npy *npy = opened("x.npy");
    ck_assert_int_eq(isg_npy_array(npy)->shape[0], 2);
    ck_assert_mem_eq(isg_npy_array(npy)->data, data, 8);
    isg_npy_close(&npy);
}
END_TEST

START_TEST(reads_empty_arrays)
{
    static const char *const shapes[] = {"(0,)", "(0, 5)", "(5, 0)", "(3, 0, 2)"};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        image file = described("'<f8'", "False", shapes[i]);
        save_image("x.npy", &file);
        for (int standard = 0; standard < 2; standard++) {
            if (standard)
                redirect(0, open("x.npy", O_RDONLY));
            isg_npy *npy = opened(standard ? "-" : "x.npy");
            ck_assert_int_eq(elements(isg_npy_array(npy)), 0);
            ck_assert_ptr_nonnull(isg_npy_array(npy)->data);
            isg_npy_close(&npy);
            restore_standard();
        }
    }
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
    refuses("missing.npy", ISG_ERR_IO, strerror(ENOENT));
    refuses("no/such/directory.npy", ISG_ERR_IO, strerror(ENOENT));
    mkdir("directory.npy", 0777);
    refuses("directory.npy", ISG_ERR_IO, strerror(EISDIR));
    save("text.npy", "some text, longer than a prefix", 31);
    refuses("text.npy", ISG_ERR_FORMAT, "not a .npy file");
    save("short.npy", "abc", 3);
    refuses("short.npy", ISG_ERR_FORMAT, "not a .npy file");
    save("empty.npy", "", 0);
    refuses("empty.npy", ISG_ERR_FORMAT, "empty");
    refuses("/dev/zero", ISG_ERR_FORMAT, "not a .npy file");
    redirect(0, open(".", O_RDONLY | O_DIRECTORY));
    refuses("-", ISG_ERR_IO, strerror(EISDIR));
    restore_standard();
}
END_TEST

START_TEST(checks_arguments)
{
    isg_npy *npy = (isg_npy *)&npy;
    isg_error error;
    int64_t two = 2;
    ck_assert_int_eq(isg_npy_open(&npy, NULL, &error), ISG_ERR_ARGUMENT);
    ck_assert_ptr_null(npy);
    ck_assert_int_eq(isg_npy_open(&npy, "", &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_npy_open(NULL, "x.npy", &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_npy_open(NULL, "x.npy", NULL), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_npy_create(&npy, NULL, ISG_F32, 1, &two, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_npy_create(&npy, "", ISG_F32, 1, &two, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_npy_create(NULL, "x.npy", ISG_F32, 1, &two, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_npy_commit(NULL, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_npy_commit(&npy, &error), ISG_ERR_ARGUMENT);
    ck_assert_ptr_null(isg_npy_array(NULL));
    isg_npy_close(NULL);
    isg_npy_close(&npy);

    image file = described("'<f4'", "False", "(0,)");
    save_image("x.npy", &file);
    npy = opened("x.npy");
    isg_status status = isg_npy_commit(&npy, &error);
    check_error(&error, status, ISG_ERR_ARGUMENT, "x.npy", "reading");
    ck_assert_ptr_null(npy);
    ck_assert_int_eq(files(), 1);
}
END_TEST

START_TEST(keeps_the_reason_of_a_long_path)
{
    char path[3000] = "";
    for (int i = 0; i < 280; i++)
        strcat(path, "directory/");
    strcat(path, "x.npy");
    isg_npy *npy;
    isg_error error;
    ck_assert_int_eq(isg_npy_open(&npy, path, &error), ISG_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "/directory/x.npy: "));
    ck_assert_ptr_nonnull(strstr(error.message, strerror(ENOENT)));
}
END_TEST

// ---- Streams in ----

typedef struct flow {
    int fd;
    unsigned char *bytes;
    size_t length, step, done;
} flow;

// Writes in steps, so that the reader sees many short reads; closes the descriptor.
static void *pour(void *user)
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

// Reads to the end; closes the descriptor.
static void *drain(void *user)
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

START_TEST(reads_standard_input_piecewise)
{
    const size_t count = 700001, steps[] = {1 << 20, 4093, 61};
    char shape[40];
    snprintf(shape, sizeof shape, "(%zu,)", count);
    image header = described("'<f8'", "False", shape);
    flow f = {.length = header.length + count * sizeof(double)};
    f.bytes = malloc(f.length);
    memcpy(f.bytes, header.bytes, header.length);
    for (size_t i = header.length; i < f.length; i++)
        f.bytes[i] = (unsigned char)(i * 2654435761u >> 13);
    for (size_t i = 0; i < COUNT(steps); i++) {
        int ends[2];
        ck_assert_int_eq(pipe(ends), 0);
        f.fd = ends[1];
        f.step = steps[i];
        f.done = 0;
        redirect(0, ends[0]);
        if (i == 1)
            fcntl(0, F_SETFL, O_NONBLOCK);
        pthread_t writer;
        ck_assert_int_eq(pthread_create(&writer, NULL, pour, &f), 0);
        isg_npy *npy = opened("-");
        pthread_join(writer, NULL);
        ck_assert_mem_eq(isg_npy_array(npy)->data, f.bytes + header.length, f.length - header.length);
        isg_npy_close(&npy);
        restore_standard();
    }
    free(f.bytes);
}
END_TEST

START_TEST(reads_a_sequence_from_standard_input)
{
    image file = {{0}, 0};
    int32_t data[4] = {1, 2, 3, 4};
    for (int i = 0; i < 3; i++) {
        image one = described("'<i4'", "False", i == 0 ? "(2,)" : i == 1 ? "(4,)" : "(1,)");
        add(&one, data, i == 0 ? 8 : i == 1 ? 16 : 4);
        add(&file, one.bytes, one.length);
    }
    save_image("x", &file);
    for (int piped = 0; piped < 2; piped++) {
        if (piped) {
            int ends[2];
            ck_assert_int_eq(pipe(ends), 0);
            ck_assert_int_eq(write(ends[1], file.bytes, file.length), (ssize_t)file.length);
            close(ends[1]);
            redirect(0, ends[0]);
        } else {
            redirect(0, open("x", O_RDONLY));
        }
        for (int i = 0; i < 3; i++) {
            isg_npy *npy = opened("-");
            ck_assert_int_eq(isg_npy_array(npy)->shape[0], i == 0 ? 2 : i == 1 ? 4 : 1);
            ck_assert_mem_eq(isg_npy_array(npy)->data, data, (size_t)isg_npy_array(npy)->shape[0] * 4);
            isg_npy_close(&npy);
        }
        refuses("-", ISG_ERR_FORMAT, "empty");
        restore_standard();
    }
}
END_TEST

START_TEST(reads_a_fifo)
{
    ck_assert_int_eq(mkfifo("fifo.npy", 0666), 0);
    image file = described("'<i4'", "False", "(2,)");
    int32_t data[2] = {7, 8};
    add(&file, data, sizeof data);
    int hold = open("fifo.npy", O_RDWR);
    flow f = {.fd = open("fifo.npy", O_WRONLY), .bytes = file.bytes, .length = file.length, .step = 5};
    pour(&f);
    isg_npy *npy = opened("fifo.npy");
    close(hold);
    ck_assert_mem_eq(isg_npy_array(npy)->data, data, sizeof data);
    isg_npy_close(&npy);
}
END_TEST

// ---- Writing ----

START_TEST(writes_every_type_and_rank)
{
    for (size_t t = 0; t < WRITTEN_TYPES; t++) {
        for (int32_t ndim = 1; ndim <= 8; ndim++) {
            isg_npy *npy = created("x.npy", types[t].dtype, ndim, extents);
            const isg_array *a = isg_npy_array(npy);
            ck_assert_int_eq(a->dtype, types[t].dtype);
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
            ck_assert_int_eq(a->dtype, types[t].dtype);
            ck_assert_int_eq(a->ndim, ndim);
            ck_assert_mem_eq(a->shape, extents, (size_t)ndim * sizeof *extents);
            check_strides(a, false);
            ck_assert_mem_eq(a->data, data, bytes);
            isg_npy_close(&npy);
            ck_assert_int_eq(files(), 1);
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
        const char *text;
    } cases[] = {
        {ISG_F32, 2, {3, 4}, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }"},
        {ISG_U8, 1, {5}, "{'descr': '|u1', 'fortran_order': False, 'shape': (5,), }"},
        {ISG_I16, 2, {0, 7}, "{'descr': '<i2', 'fortran_order': False, 'shape': (0, 7), }"},
        {ISG_F64,
         8,
         {1, 1, 1, 1, 1, 1, 1, 1},
         "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1), }"},
        // The longest that a shape within 64 bits can have: every header takes 128 bytes.
        {ISG_I8,
         8,
         {0, 10, 10, 10, 10, 10, 10, 1000000000000},
         "{'descr': '|i1', 'fortran_order': False, 'shape': (0, 10, 10, 10, 10, 10, 10, 1000000000000), }"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        isg_npy *npy = created("x.npy", cases[i].dtype, cases[i].ndim, cases[i].shape);
        size_t bytes = (size_t)elements(isg_npy_array(npy)) * isg_dtype_bytes(cases[i].dtype);
        committed(npy);
        image file = read_back("x.npy");
        ck_assert_uint_eq(file.length, 128 + bytes);
        char header[512];
        snprintf(header, sizeof header, "%-*s\n", 128 - 11, cases[i].text);
        ck_assert_mem_eq(file.bytes, "\x93NUMPY\x01\x00", 8);
        ck_assert_uint_eq(file.bytes[8] + 256u * file.bytes[9], 128u - 10);
        ck_assert_mem_eq(file.bytes + 10, header, 128u - 10);
    }
}
END_TEST

START_TEST(writes_empty_arrays)
{
    static const int64_t shapes[][2] = {{0, 5}, {5, 0}, {0, 0}};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        isg_npy *npy = created("x.npy", ISG_F64, 2, shapes[i]);
        ck_assert_ptr_nonnull(isg_npy_array(npy)->data);
        committed(npy);
        npy = opened("x.npy");
        ck_assert_mem_eq(isg_npy_array(npy)->shape, shapes[i], sizeof shapes[i]);
        isg_npy_close(&npy);
    }
}
END_TEST

START_TEST(appears_only_on_commit)
{
    static const int64_t shape[] = {4};
    isg_npy *npy = created("x.npy", ISG_I32, 1, shape);
    memset(isg_npy_array(npy)->data, 1, 16);
    ck_assert(!exists("x.npy"));
    isg_npy_close(&npy);
    ck_assert_ptr_null(npy);
    ck_assert_int_eq(files(), 0);

    save("x.npy", "old", 3);
    npy = created("x.npy", ISG_I32, 1, shape);
    memset(isg_npy_array(npy)->data, 1, 16);
    ck_assert_uint_eq(read_back("x.npy").length, 3);
    isg_npy_close(&npy);
    ck_assert_uint_eq(read_back("x.npy").length, 3);
    ck_assert_int_eq(files(), 1);

    npy = created("x.npy", ISG_I32, 1, shape);
    committed(npy);
    ck_assert_uint_eq(read_back("x.npy").length, 144);
    ck_assert_int_eq(files(), 1);
}
END_TEST

START_TEST(replaces_its_own_input)
{
    static const int64_t shape[] = {4};
    image file = described("'<i4'", "False", "(4,)");
    int32_t data[4] = {1, 2, 3, 4};
    add(&file, data, sizeof data);
    save_image("x.npy", &file);
    isg_npy *in = opened("x.npy"), *out = created("x.npy", ISG_I32, 1, shape);
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
    static const int64_t shape[] = {1};
    static const mode_t masks[] = {022, 077, 002, 0};
    mode_t before = umask(0);
    for (size_t i = 0; i < COUNT(masks); i++) {
        umask(masks[i]);
        committed(created("x.npy", ISG_U8, 1, shape));
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
    static const int64_t shape[] = {1};
    save("named", "old", 3);
    ck_assert_int_eq(symlink("named", "link.npy"), 0);
    ck_assert_int_eq(symlink("nowhere", "dangling.npy"), 0);
    const char *const links[] = {"link.npy", "dangling.npy"};
    for (size_t i = 0; i < COUNT(links); i++) {
        committed(created(links[i], ISG_U8, 1, shape));
        struct stat about;
        ck_assert_int_eq(lstat(links[i], &about), 0);
        ck_assert(S_ISREG(about.st_mode));
    }
    ck_assert_uint_eq(read_back("named").length, 3);
    ck_assert(!exists("nowhere"));
    ck_assert_int_eq(files(), 3);
}
END_TEST

START_TEST(finds_its_directory_again)
{
    static const int64_t shape[] = {1};
    mkdir("sub", 0777);
    isg_npy *npy = created("x.npy", ISG_U8, 1, shape), *deep = created("sub/./y.npy", ISG_U8, 1, shape);
    ck_assert_int_eq(chdir("/"), 0);
    committed(npy);
    committed(deep);
    ck_assert_int_eq(chdir(scratch), 0);
    ck_assert(exists("x.npy"));
    ck_assert(exists("sub/y.npy"));
    unlink("sub/y.npy");
    char path[300];
    snprintf(path, sizeof path, "%s/z.npy", scratch);
    committed(created(path, ISG_U8, 1, shape));
    ck_assert(exists("z.npy"));
}
END_TEST

START_TEST(takes_the_longest_name)
{
    static const int64_t shape[] = {1};
    char name[300];
    memset(name, 'n', sizeof name);
    name[255] = 0;
    committed(created(name, ISG_U8, 1, shape));
    ck_assert(exists(name));
    unlink(name);
    name[255] = 'n';
    name[256] = 0;
    refuses_create(name, ISG_U8, 1, shape, ISG_ERR_IO, strerror(ENAMETOOLONG));
}
END_TEST

START_TEST(refuses_to_create)
{
    static const int64_t shape[] = {2, 3, 1, 1, 1, 1, 1, 1, 1}, negative[] = {2, -1};
    static const int64_t huge[] = {INT64_C(1) << 40, INT64_C(1) << 40}, stride[] = {0, INT64_MAX, 2};
    static const int64_t beyond[] = {INT64_C(1) << 59}, last[] = {INT64_MAX}, bytes[] = {INT64_MAX / 8 + 1};
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
    refuses_create("x.npy", ISG_F64, 1, bytes, ISG_ERR_OVERFLOW, "addressed");
    refuses_create("x.npy", ISG_F64, 1, beyond, ISG_ERR_IO, "needs 4398046511105 MiB");
    rmdir("directory");
    ck_assert_uint_eq(read_back("file").length, 3);
    ck_assert_int_eq(files(), 1);
}
END_TEST

START_TEST(leaves_nothing_when_the_place_is_taken)
{
    static const int64_t shape[] = {4};
    isg_npy *npy = created("x.npy", ISG_I32, 1, shape);
    mkdir("x.npy", 0777);
    isg_error error;
    isg_status status = isg_npy_commit(&npy, &error);
    check_error(&error, status, ISG_ERR_IO, "x.npy", strerror(EISDIR));
    ck_assert_ptr_null(npy);
    ck_assert_int_eq(files(), 1);
    rmdir("x.npy");

    mkdir("gone", 0777);
    npy = created("gone/x.npy", ISG_I32, 1, shape);
    DIR *directory = opendir("gone");
    for (struct dirent *e; (e = readdir(directory));)
        unlinkat(dirfd(directory), e->d_name, 0);
    closedir(directory);
    rmdir("gone");
    status = isg_npy_commit(&npy, &error);
    check_error(&error, status, ISG_ERR_IO, "gone/x.npy", strerror(ENOENT));
    ck_assert_int_eq(files(), 0);
}
END_TEST

// ---- Streams out ----

static void fails_to_commit(const char *path, const char *name, int reason)
{
    static const int64_t shape[] = {4};
    isg_npy *npy = created(path, ISG_I32, 1, shape);
    isg_error error;
    isg_status status = isg_npy_commit(&npy, &error);
    restore_standard();
    ck_assert_ptr_null(npy);
    check_error(&error, status, ISG_ERR_IO, name, strerror(reason));
    ck_assert_int_eq(files(), 0);
}

START_TEST(reports_a_stream_that_fails)
{
    static const int64_t shape[] = {4};
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
    isg_status status = isg_npy_create(&npy, "-", ISG_I32, 1, shape, &error);
    restore_standard();
    check_error(&error, status, ISG_ERR_IO, "standard output", strerror(EBADF));
    committed(created("/dev/null", ISG_I32, 1, shape));
    struct stat about;
    ck_assert_int_eq(stat("/dev/null", &about), 0);
    ck_assert(S_ISCHR(about.st_mode));
}
END_TEST

// What stands in the file already is kept: standard output is written to, not replaced, whatever it is called.
START_TEST(writes_to_standard_output)
{
    static const int64_t shape[] = {4};
    static const char *const names[] = {"-", "/dev/stdout", "/dev/fd/1"};
    for (size_t i = 0; i < COUNT(names); i++) {
        redirect(1, open("out", O_WRONLY | O_CREAT | O_TRUNC, 0666));
        ck_assert_int_eq(write(1, "before", 6), 6);
        isg_npy *npy = created(names[i], ISG_I32, 1, shape);
        ck_assert_uint_eq((uintptr_t)isg_npy_array(npy)->data % 64, 0);
        memset(isg_npy_array(npy)->data, 7, 16);
        committed(npy);
        npy = created(names[i], ISG_I32, 1, shape);
        isg_npy_close(&npy);
        ck_assert_int_eq(write(1, "after", 5), 5);
        restore_standard();
        image file = read_back("out");
        ck_assert_uint_eq(file.length, 6 + 144 + 5);
        ck_assert_mem_eq(file.bytes, "before\x93NUMPY", 12);
        ck_assert_mem_eq(file.bytes + 134, "\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7after", 21);
    }
    struct stat about;
    ck_assert_int_eq(lstat("/dev/stdout", &about), 0);
    ck_assert(!S_ISREG(about.st_mode));
}
END_TEST

// More than a pipe holds, so that writes come up short; once with a descriptor that does not wait.
START_TEST(writes_to_pipes_and_fifos)
{
    static const int64_t shape[] = {300001};
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
        isg_npy *npy = created(way < 2 ? "-" : "fifo.npy", ISG_I32, 1, shape);
        int32_t *values = isg_npy_array(npy)->data;
        for (int32_t i = 0; i < 300001; i++)
            values[i] = i * 7;
        pthread_t reader;
        ck_assert_int_eq(pthread_create(&reader, NULL, drain, &f), 0);
        committed(npy);
        restore_standard();
        pthread_join(reader, NULL);
        ck_assert_uint_eq(f.done, 128 + 4 * 300001);
        int wrong = 0;
        for (int32_t i = 0, value; i < 300001; i++) {
            memcpy(&value, f.bytes + 128 + 4 * i, 4);
            wrong += value != i * 7;
        }
        ck_assert_int_eq(wrong, 0);
        free(f.bytes);
    }
    ck_assert_int_eq(files(), 1);
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
    int left = count_entries("small");
    isg_status status3 = isg_npy_create(&npy, "small/x.npy", ISG_U8, 1, fits, &third);
    if (!status3)
        status3 = isg_npy_commit(&npy, &third);
    int now = count_entries("small");
    umount("small");
    check_error(&first, status, ISG_ERR_IO, "small/x.npy", "no space: needs 1 MiB");
    check_error(&second, status2, ISG_ERR_IO, "small/x.npy", "no space: needs 10 MiB");
    ck_assert_int_eq(left, 0);
    ck_assert_msg(status3 == ISG_OK, "%s", third.message);
    ck_assert_int_eq(now, 1);
}
END_TEST

// ---- Threads ----

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
    ck_assert_int_eq(files(), 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        reads_every_type_and_rank,
        reads_fortran_order,
        reads_every_version,
        reads_headers_in_any_dress,
        refuses_malformed_headers,
        refuses_other_types_by_name,
        refuses_every_truncation,
        survives_every_changed_byte,
        refuses_impossible_shapes,
        refuses_long_headers,
        reads_unaligned_data,
        reads_past_trailing_bytes,
        reads_empty_arrays,
        refuses_what_is_no_file,
        checks_arguments,
        keeps_the_reason_of_a_long_path,
        reads_standard_input_piecewise,
        reads_a_sequence_from_standard_input,
        reads_a_fifo,
        writes_every_type_and_rank,
        writes_the_header_of_numpy,
        writes_empty_arrays,
        appears_only_on_commit,
        replaces_its_own_input,
        obeys_the_umask,
        replaces_a_link,
        finds_its_directory_again,
        takes_the_longest_name,
        refuses_to_create,
        leaves_nothing_when_the_place_is_taken,
        reports_a_stream_that_fails,
        writes_to_standard_output,
        writes_to_pipes_and_fifos,
        reports_a_full_disk_at_once,
        serves_threads_side_by_side,
    };
    signal(SIGPIPE, SIG_IGN);
    Suite *suite = suite_create("npy");
    for (size_t i = 0; i < COUNT(tests); i++) {
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
