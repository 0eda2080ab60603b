// What isg_npy_open promises: what is read, what is refused and how. Files are made by hand here, so that the reader is
// not tested against the writer alone.
#include "npy_files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static isg_npy *opened_image(const image *file)
{
    save_image("x.npy", file);
    return opened("x.npy");
}

// ---- Headers ----

START_TEST(reads_every_type_and_rank)
{
    static const struct {
        const char *descr;
        isg_dtype dtype;
    } types[] = {
        {"'<f4'", ISG_F32}, {"'<f8'", ISG_F64}, {"'|i1'", ISG_I8},    {"'|u1'", ISG_U8},  {"'<i2'", ISG_I16},
        {"'<u2'", ISG_U16}, {"'<i4'", ISG_I32}, {"'<u4'", ISG_U32},   {"'<i8'", ISG_I64}, {"'<u8'", ISG_U64},
        {"'|b1'", ISG_U8},  {"'=f4'", ISG_F32}, {"'=f8'", ISG_F64},   {"'=i2'", ISG_I16}, {"'=u8'", ISG_U64},
        {"'=i1'", ISG_I8},  {"'<u1'", ISG_U8},  {"\"<f4\"", ISG_F32}, {"'<f2'", ISG_F16}, {"'=f2'", ISG_F16},
    };
    static const char *const shapes[9] = {
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
    unsigned char data[1024];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 37 + 11);
    for (size_t t = 0; t < COUNT(types); t++) {
        for (int32_t ndim = 0; ndim <= 8; ndim++) {
            for (int fortran = 0; fortran < 2; fortran++) {
                image file = described(types[t].descr, fortran ? "True" : "False", shapes[ndim]);
                size_t bytes = isg_dtype_bytes(types[t].dtype);
                for (int32_t axis = 0; axis < ndim; axis++)
                    bytes *= (size_t)extents[axis];
                add(&file, data, bytes);
                isg_npy *npy = opened_image(&file);
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

START_TEST(reads_every_version)
{
    for (int version = 1; version <= 3; version++) {
        image file = with_padded(version, "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }");
        double data[3] = {1, -2, 0.5};
        add(&file, data, sizeof data);
        isg_npy *npy = opened_image(&file);
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
        isg_npy *npy = opened_image(&file);
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
        {"{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}", "comma"},
        {"{'descr' '<f4', 'fortran_order': False, 'shape': (2,)}", "colon"},
        {"{'descr': '<f4", "'descr'"},
        {"{descr: '<f4', 'fortran_order': False, 'shape': (2,)}", "string"},
        {"{'descr': '<f4', 'fortran_order': Fals", "fortran_order"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,", "non-negative"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2", "comma"},
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
        "'>i8'",         "'>u1'",     "'>f2'",
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
            pipe_in(&cut);
            refuses("-", ISG_ERR_FORMAT, cut.length ? words : "empty");
            restore_standard();
        }
        char words[80];
        snprintf(words, sizeof words, "cut short: %zu bytes of %zu", file.length - 1, file.length);
        cut.length = file.length - 1;
        refuses_image(&cut, ISG_ERR_FORMAT, words);
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

// Each value in the place of one of a good header, in a file and in a pipe.
START_TEST(refuses_bad_values)
{
    enum { DESCR, ORDER, SHAPE };
    static const struct {
        int key;
        const char *words, *values[6];
    } cases[] = {
        {DESCR, "'descr'", {"", "4", "'<f\\x34'", "[('a', '<f4')"}},
        {DESCR, "comma", {"'<f4"}},
        {ORDER, "fortran_order", {"0", "false", "'False'"}},
        {ORDER, "comma", {"Falsehood"}},
        {SHAPE, "not a tuple", {"(2)", "2", "[2]"}},
        {SHAPE, "non-negative", {"(2,,)", "(,)", "(-2,)", "(+2,)", "(True,)"}},
        {SHAPE, "comma", {"(2.0,)", "(0x2,)", "(1_0,)", "(2 3)"}},
        {SHAPE, "leading zeros", {"(02,)"}},
        {SHAPE, "more than 8", {"(1,1,1,1,1,1,1,1,2)"}},
        {SHAPE, "64 bits", {"(9223372036854775808,)", "(99999999999999999999999,)", "(4294967296, 4294967296)"}},
        {SHAPE, "64 bits", {"(0, 4294967296, 4294967296)", "(4294967296, 4294967296, 0)"}},
        {SHAPE, "cannot be addressed", {"(9223372036854775807,)", "(4611686018427387904,)"}},
        {SHAPE, "cut short", {"(1099511627776,)", "(1048576, 1048576)", "(1152921504606846975,)", "(5,)"}},
    };
    float data[4] = {1, 2, 3, 4};
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (const char *const *value = cases[i].values; *value; value++) {
            for (int fortran = 0; fortran < 2; fortran++) {
                const char *header[] = {"'<f4'", fortran ? "True" : "False", "(2,)"};
                header[cases[i].key] = *value;
                image file = described(header[DESCR], header[ORDER], header[SHAPE]);
                add(&file, data, sizeof data);
                refuses_image(&file, ISG_ERR_FORMAT, cases[i].words);
                pipe_in(&file);
                refuses("-", ISG_ERR_FORMAT, cases[i].words);
                restore_standard();
            }
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

// ---- Data ----

START_TEST(reads_unaligned_data)
{
    for (int extra = 0; extra < 9; extra++) {
        char text[128];
        snprintf(text, sizeof text, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}%*s\n", extra, "");
        image file = with_header(1, text);
        double data[4] = {1.5, -2.5, 3.5, -4.5};
        add(&file, data, sizeof data);
        isg_npy *npy = opened_image(&file);
        const isg_array *a = isg_npy_array(npy);
        ck_assert_uint_eq((uintptr_t)a->data % sizeof(double), 0);
        ck_assert_mem_eq(a->data, data, sizeof data);
        isg_npy_close(&npy);
    }
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

START_TEST(checks_arguments_of_open)
{
    isg_npy *npy = (isg_npy *)&npy;
    isg_error error;
    ck_assert_int_eq(isg_npy_open(&npy, NULL, &error), ISG_ERR_ARGUMENT);
    ck_assert_ptr_null(npy);
    ck_assert_int_eq(isg_npy_open(&npy, "", &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_npy_open(NULL, "x.npy", &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_npy_open(NULL, "x.npy", NULL), ISG_ERR_ARGUMENT);
    ck_assert_ptr_null(isg_npy_array(NULL));
    isg_npy_close(NULL);
    isg_npy_close(&npy);
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

// ---- Streams ----

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

// What stands behind the data is left alone: by name it is not read, on standard input it is the next array.
START_TEST(reads_a_sequence)
{
    static const struct {
        const char *text;
        int64_t count;
    } shapes[3] = {{"(2,)", 2}, {"(4,)", 4}, {"(1,)", 1}};
    image file = {{0}, 0};
    int32_t data[4] = {1, 2, 3, 4};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        image one = described("'<i4'", "False", shapes[i].text);
        add(&one, data, (size_t)shapes[i].count * sizeof *data);
        add(&file, one.bytes, one.length);
    }
    save_image("x.npy", &file);
    for (int way = 0; way < 3; way++) {
        bool named = way == 0;
        if (way == 1)
            redirect(0, open("x.npy", O_RDONLY));
        if (way == 2)
            pipe_in(&file);
        for (size_t i = 0; i < (named ? 1 : COUNT(shapes)); i++) {
            isg_npy *npy = opened(named ? "x.npy" : "-");
            ck_assert_int_eq(isg_npy_array(npy)->shape[0], shapes[i].count);
            ck_assert_mem_eq(isg_npy_array(npy)->data, data, (size_t)shapes[i].count * sizeof *data);
            isg_npy_close(&npy);
        }
        if (!named)
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

// Any number of the first bytes may have been read before, from a pipe or from a file; the descriptor stays open, and
// stands behind the array.
START_TEST(reads_behind_bytes_that_were_read)
{
    double data[6] = {1, 2, 3, -4, 5, 6};
    image file = described("'<f8'", "False", "(2, 3)");
    add(&file, data, sizeof data);
    size_t length = file.length;
    add(&file, "tail", 4);
    for (size_t taken = 0; taken <= length; taken += taken < 16 ? 1 : 13) {
        for (int regular = 0; regular < 2; regular++) {
            unsigned char head[sizeof file.bytes], tail[5];
            if (regular) {
                save_image("x.npy", &file);
                redirect(0, open("x.npy", O_RDONLY));
            } else {
                pipe_in(&file);
            }
            ck_assert_int_eq(read(0, head, taken), (ssize_t)taken);
            isg_npy *npy = NULL;
            isg_error error;
            isg_status status = isg_npy_read(&npy, 0, "some name", head, (int64_t)taken, &error);
            ck_assert_msg(status == ISG_OK, "%zu bytes: %s", taken, error.message);
            ck_assert_mem_eq(isg_npy_array(npy)->data, data, sizeof data);
            ck_assert_int_eq(read(0, tail, 5), 4);
            ck_assert_mem_eq(tail, "tail", 4);
            isg_npy_close(&npy);
            restore_standard();
        }
    }
    file.length = 100;
    pipe_in(&file);
    isg_npy *npy = (isg_npy *)&npy;
    isg_error error;
    isg_status status = isg_npy_read(&npy, 0, "some name", NULL, 7, &error);
    ck_assert_ptr_null(npy);
    check_error(&error, status, ISG_ERR_FORMAT, "some name", "cut short: 100 bytes of");
    restore_standard();
    ck_assert_int_eq(isg_npy_read(NULL, 0, "x", NULL, 0, NULL), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_npy_read(&npy, 0, "", NULL, 0, NULL), ISG_ERR_ARGUMENT);
}
END_TEST

// A descriptor that cannot be asked, or not be read from: from the first byte on, within the header, within the data.
START_TEST(reports_reads_that_fail)
{
    image file = described("'<f4'", "False", "(4,)");
    const int64_t header = (int64_t)file.length;
    add(&file, "abcdefghijklmnop", 16);
    int closed = -1, write_only = open("x.npy", O_WRONLY | O_CREAT, 0666);
    ck_assert_int_ge(write_only, 0);
    const int64_t have[] = {0, 9, 10, header - 1, header, header + 15};
    isg_npy *npy;
    isg_error error;
    for (size_t i = 0; i < COUNT(have); i++) {
        npy = (isg_npy *)&npy;
        isg_status status = isg_npy_read(&npy, write_only, "x", file.bytes, have[i], &error);
        ck_assert_ptr_null(npy);
        check_error(&error, status, ISG_ERR_IO, "x", strerror(EBADF));
    }
    ck_assert_int_eq(isg_npy_read(&npy, write_only, "x", file.bytes, header + 16, &error), ISG_OK); // needs no more
    isg_npy_close(&npy);
    isg_status status = isg_npy_read(&npy, closed, "x", file.bytes, header + 16, &error);
    check_error(&error, status, ISG_ERR_IO, "x", strerror(EBADF));
    close(write_only);
}
END_TEST

// Bytes that fit 64 bits, but not with those of the header before them.
START_TEST(refuses_the_largest_file)
{
    image file = described("'|u1'", "False", "(9223372036854775743,)");
    refuses_image(&file, ISG_ERR_FORMAT, "an impossible shape: a distance in it does not fit 64 bits");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        reads_every_type_and_rank,
        reads_every_version,
        reads_headers_in_any_dress,
        refuses_malformed_headers,
        refuses_other_types_by_name,
        refuses_every_truncation,
        survives_every_changed_byte,
        refuses_bad_values,
        refuses_long_headers,
        reads_unaligned_data,
        reads_empty_arrays,
        refuses_what_is_no_file,
        checks_arguments_of_open,
        keeps_the_reason_of_a_long_path,
        reads_standard_input_piecewise,
        reads_a_sequence,
        reads_a_fifo,
        reads_behind_bytes_that_were_read,
        reports_reads_that_fail,
        refuses_the_largest_file,
    };
    return run_tests("npy_read", tests, COUNT(tests));
}
