// .npy files: owns the header's grammar, the mapping or reading of the data, and the way a new file comes into its
// place. Knows nothing of what the numbers mean; libc and POSIX only.
#include <isogram/npy.h>

#include "base.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the data is used as it lies in the file, which is little-endian"
#endif
_Static_assert(sizeof(off_t) == 8, "files above 2 GiB need _FILE_OFFSET_BITS=64");

#define MAGIC    "\x93NUMPY"
#define COUNT(a) (sizeof(a) / sizeof *(a))

enum {
    MAGIC_BYTES = 6,
    ALIGNMENT = 64,               // numpy's ARRAY_ALIGN: where the data of a written file starts
    GROWTH_DIGITS = 21,           // numpy's GROWTH_AXIS_MAX_DIGITS: room to grow the first axis in place
    HEADER_BYTES_MAX = 64 * 1024, // versions 2 and 3 could claim 4 GiB; eight extents never need a page
    HEADER_ROOM = 512,            // what a written header fits in
    FIRST_BLOCK_BYTES = 1 << 20,  // what a stream gets before it has proved anything
    CHUNK_BYTES = 1 << 30,        // Linux moves less than 2 GiB per call, others refuse more
    NAME_TRIES = 100,
};

struct isg_npy {
    isg_array array;
    char label[600];           // the name that messages use
    int64_t bytes;             // header and data together, of what is mapped or will be written
    void *map;                 // `bytes` from mmap; or NULL
    void *block;               // from malloc: data that was read, or `bytes` that will be written; or NULL
    int fd;                    // the input while it is read, the nameless or hidden file, or the stream; or -1
    int directory;             // where the target lies, so that a later chdir does not matter; or -1
    char *target;              // the target's name within directory; NULL for a stream and when reading
    char hidden[NAME_MAX + 1]; // the name, within directory, that must not stay behind; or ""
    bool created;
};

ISG_PRINTF(4, 5)
static isg_status fail(const isg_npy *npy, isg_error *error, isg_status status, const char *format, ...)
{
    char reason[384];
    va_list values;
    va_start(values, format);
    vsnprintf(reason, sizeof reason, format, values);
    va_end(values);
    return isg_fail(error, status, "%s: %s", npy->label, reason);
}

static isg_status fail_errno(const isg_npy *npy, isg_error *error)
{
    return fail(npy, error, ISG_ERR_IO, "%s", strerror(errno));
}

static void close_descriptor(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void unmap(isg_npy *npy)
{
    if (npy->map)
        munmap(npy->map, (size_t)npy->bytes);
    npy->map = NULL;
}

void isg_npy_close(isg_npy **npy)
{
    if (!npy || !*npy)
        return;
    isg_npy *n = *npy;
    unmap(n);
    free(n->block);
    close_descriptor(&n->fd);
    if (n->hidden[0])
        unlinkat(n->directory, n->hidden, 0);
    close_descriptor(&n->directory);
    free(n->target);
    free(n);
    *npy = NULL;
}

const isg_array *isg_npy_array(const isg_npy *npy)
{
    return npy ? &npy->array : NULL;
}

// A handle that owns nothing yet. The label keeps the end of a very long path, so that the reason still fits a message.
static isg_status begin(isg_npy **out, const char *path, const char *dash_label, isg_error *error)
{
    if (!path || !path[0])
        return isg_fail(error, ISG_ERR_ARGUMENT, "an empty file name");
    const char *name = strcmp(path, "-") == 0 ? dash_label : path;
    isg_npy *npy = calloc(1, sizeof *npy);
    if (!npy)
        return isg_fail(error, ISG_ERR_MEMORY, "%s: out of memory", name);
    npy->fd = npy->directory = -1;
    size_t length = strlen(name), most = sizeof npy->label - sizeof "...";
    if (length > most)
        snprintf(npy->label, sizeof npy->label, "...%s", name + length - most);
    else
        memcpy(npy->label, name, length + 1);
    *out = npy;
    return ISG_OK;
}

// Strides in elements. False when one does not fit 63 bits, which a shape of no elements can bring about.
static bool set_strides(isg_array *array, bool fortran)
{
    int64_t stride = 1;
    for (int32_t i = 0; i < array->ndim; i++) {
        int32_t axis = fortran ? i : array->ndim - 1 - i;
        array->strides[axis] = stride;
        if (!isg_mul(stride, isg_max(array->shape[axis], 1), &stride))
            return false;
    }
    return true;
}

// ---- The header's grammar: a Python dictionary of three literals ----

typedef struct layout {
    isg_dtype dtype; // ISG_DTYPE_NONE: a well-formed descr of a type that the library has not
    char descr[100]; // for messages: as in the file, but printable and perhaps cut
    bool fortran;
    int32_t ndim;
    int64_t shape[ISG_MAX_NDIM];
} layout;

typedef struct scanner {
    const char *at, *end;
} scanner;

static void skip_space(scanner *s)
{
    while (s->at < s->end && *s->at && strchr(" \t\n\r\f", *s->at))
        s->at++;
}

static bool take(scanner *s, char wanted)
{
    skip_space(s);
    if (s->at == s->end || *s->at != wanted)
        return false;
    s->at++;
    return true;
}

static bool take_word(scanner *s, const char *word)
{
    skip_space(s);
    size_t length = strlen(word);
    if ((size_t)(s->end - s->at) < length || memcmp(s->at, word, length) != 0)
        return false;
    s->at += length;
    return true;
}

// A string without escapes; `text` is what stands between its quotes.
static bool take_string(scanner *s, scanner *text)
{
    char quote = '\'';
    if (!take(s, quote)) {
        quote = '"';
        if (!take(s, quote))
            return false;
    }
    text->at = s->at;
    while (s->at < s->end && *s->at != quote) {
        if (*s->at == '\\' || (unsigned char)*s->at < ' ')
            return false;
        s->at++;
    }
    text->end = s->at;
    return take(s, quote);
}

static bool equals(scanner text, const char *word)
{
    size_t length = strlen(word);
    return (size_t)(text.end - text.at) == length && memcmp(text.at, word, length) == 0;
}

static bool is_digit(const scanner *s)
{
    return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

// A decimal number as Python 3 writes it, thus without leading zeros, or as Python 2 does, with an L behind it.
static const char *parse_extent(scanner *s, int64_t *extent)
{
    skip_space(s);
    if (!is_digit(s))
        return "'shape' is not a tuple of non-negative integers";
    const char *first = s->at;
    int64_t value = 0;
    for (; is_digit(s); s->at++) {
        int64_t digit = *s->at - '0';
        if (value > (INT64_MAX - digit) / 10)
            return "an extent in 'shape' does not fit 64 bits";
        value = value * 10 + digit;
    }
    if (*first == '0' && s->at - first > 1)
        return "an extent in 'shape' has leading zeros";
    if (s->at < s->end && *s->at == 'L')
        s->at++;
    *extent = value;
    return NULL;
}

// Each parser returns NULL, or what is wrong.
static const char *parse_shape(scanner *s, layout *l)
{
    if (!take(s, '('))
        return "'shape' is not a tuple";
    bool comma = true;
    while (!take(s, ')')) {
        int64_t extent;
        const char *wrong = comma ? parse_extent(s, &extent) : "'shape' lacks a comma or its end";
        if (wrong)
            return wrong;
        if (l->ndim == ISG_MAX_NDIM)
            return "'shape' has more than 8 dimensions";
        l->shape[l->ndim++] = extent;
        comma = take(s, ',');
    }
    if (l->ndim == 1 && !comma)
        return "'shape' is a number in parentheses, not a tuple";
    return NULL;
}

static const char *parse_order(scanner *s, layout *l)
{
    l->fortran = take_word(s, "True");
    return l->fortran || take_word(s, "False") ? NULL : "'fortran_order' is neither True nor False";
}

static isg_dtype find_dtype(scanner code)
{
    static const struct {
        const char *code;
        isg_dtype dtype;
    } codes[] = {
        {"f4", ISG_F32}, {"f8", ISG_F64}, {"i1", ISG_I8},  {"u1", ISG_U8},  {"b1", ISG_U8},  {"i2", ISG_I16},
        {"u2", ISG_U16}, {"i4", ISG_I32}, {"u4", ISG_U32}, {"i8", ISG_I64}, {"u8", ISG_U64},
    };
    if (code.at == code.end)
        return ISG_DTYPE_NONE;
    char order = *code.at++;
    for (size_t i = 0; i < COUNT(codes); i++) {
        if (equals(code, codes[i].code)) {
            bool orderless = order == '|' && isg_dtype_bytes(codes[i].dtype) == 1;
            return orderless || order == '<' || order == '=' ? codes[i].dtype : ISG_DTYPE_NONE;
        }
    }
    return ISG_DTYPE_NONE;
}

// Passes over a list or tuple of whatever: a structured type, which is refused, but by name.
static bool skip_nested(scanner *s)
{
    long depth = 0;
    do {
        scanner text;
        skip_space(s);
        if (s->at == s->end)
            return false;
        if (*s->at == '\'' || *s->at == '"') {
            if (!take_string(s, &text))
                return false;
            continue;
        }
        depth += *s->at == '(' || *s->at == '[';
        depth -= *s->at == ')' || *s->at == ']';
        s->at++;
    } while (depth > 0);
    return true;
}

static void copy_printable(char *to, size_t room, const char *from, const char *end)
{
    size_t length = (size_t)(end - from), kept = length < room ? length : room - 1;
    for (size_t i = 0; i < kept; i++)
        to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
    to[kept] = 0;
    if (kept < length)
        memcpy(to + kept - 3, "...", 3);
}

static const char *parse_descr(scanner *s, layout *l)
{
    skip_space(s);
    const char *first = s->at;
    scanner text;
    if (take_string(s, &text))
        l->dtype = find_dtype(text);
    else if (s->at == s->end || (*s->at != '[' && *s->at != '(') || !skip_nested(s))
        return "'descr' is neither a string nor a list";
    copy_printable(l->descr, sizeof l->descr, first, s->at);
    return NULL;
}

static const char *parse_entry(scanner *s, layout *l, unsigned *seen)
{
    static const struct {
        const char *key;
        const char *(*parse)(scanner *, layout *);
    } entries[] = {{"descr", parse_descr}, {"fortran_order", parse_order}, {"shape", parse_shape}};
    scanner key;
    if (!take_string(s, &key))
        return "a key is not a plain string";
    for (unsigned i = 0; i < COUNT(entries); i++) {
        if (!equals(key, entries[i].key))
            continue;
        if (*seen & 1u << i)
            return "a key stands twice";
        *seen |= 1u << i;
        return take(s, ':') ? entries[i].parse(s, l) : "a key lacks its colon";
    }
    return "a key other than 'descr', 'fortran_order' and 'shape'";
}

static const char *parse_header(scanner s, layout *l)
{
    if (!take(&s, '{'))
        return "not a dictionary";
    unsigned seen = 0;
    bool comma = true;
    while (!take(&s, '}')) {
        const char *wrong = comma ? parse_entry(&s, l, &seen) : "the dictionary lacks a comma or its end";
        if (wrong)
            return wrong;
        comma = take(&s, ',');
    }
    skip_space(&s);
    if (s.at != s.end)
        return "text behind the dictionary";
    return seen == 7 ? NULL : "'descr', 'fortran_order' or 'shape' is missing";
}

// ---- Reading ----

// Whether a failed transfer is to be tried again; waits for a descriptor that somebody made non-blocking.
static bool try_again(int fd, short events)
{
    if (errno == EAGAIN) {
        struct pollfd wait = {fd, events, 0};
        return poll(&wait, 1, -1) >= 0 || errno == EINTR;
    }
    return errno == EINTR;
}

// Reads until `bytes` have come or the input ends, and adds what came to *have.
static isg_status read_bytes(isg_npy *npy, void *to, int64_t bytes, int64_t *have, isg_error *error)
{
    char *at = to;
    while (bytes > 0) {
        ssize_t got = read(npy->fd, at, (size_t)isg_min(bytes, CHUNK_BYTES));
        if (got < 0) {
            if (try_again(npy->fd, POLLIN))
                continue;
            return fail_errno(npy, error);
        }
        if (got == 0)
            break;
        at += got;
        bytes -= got;
        *have += got;
    }
    return ISG_OK;
}

static isg_status cut_short(const isg_npy *npy, int64_t have, int64_t need, const char *at_least, isg_error *error)
{
    return fail(npy, error, ISG_ERR_FORMAT, "cut short: %lld bytes of %s%lld", (long long)have, at_least,
                (long long)need);
}

// The magic, the version and the length of the header's text: everything before that text, *have bytes.
static isg_status read_prefix(isg_npy *npy, int64_t *have, int64_t *text_bytes, isg_error *error)
{
    unsigned char b[12] = {0};
    isg_status status = read_bytes(npy, b, 10, have, error);
    if (status)
        return status;
    if (*have == 0)
        return fail(npy, error, ISG_ERR_FORMAT, "not a .npy file: it is empty");
    if (memcmp(b, MAGIC, (size_t)isg_min(*have, MAGIC_BYTES)) != 0)
        return fail(npy, error, ISG_ERR_FORMAT, "not a .npy file");
    if (*have < 10)
        return cut_short(npy, *have, 10, "at least ", error);
    if (b[6] < 1 || b[6] > 3 || b[7] != 0)
        return fail(npy, error, ISG_ERR_FORMAT, "version %d.%d of the format; known are 1.0, 2.0 and 3.0", b[6], b[7]);
    *text_bytes = b[8] | b[9] << 8;
    if (b[6] == 1)
        return ISG_OK;
    status = read_bytes(npy, b + 10, 2, have, error);
    if (status)
        return status;
    if (*have < 12)
        return cut_short(npy, *have, 12, "at least ", error);
    *text_bytes |= (int64_t)b[10] << 16 | (int64_t)b[11] << 24;
    return ISG_OK;
}

static isg_status read_header(isg_npy *npy, layout *l, int64_t *have, isg_error *error)
{
    int64_t text_bytes = 0;
    isg_status status = read_prefix(npy, have, &text_bytes, error);
    if (status)
        return status;
    if (text_bytes > HEADER_BYTES_MAX)
        return fail(npy, error, ISG_ERR_FORMAT, "a header of %lld bytes", (long long)text_bytes);
    char *text = malloc((size_t)text_bytes + 1);
    if (!text)
        return fail(npy, error, ISG_ERR_MEMORY, "out of memory");
    int64_t end = *have + text_bytes;
    status = read_bytes(npy, text, text_bytes, have, error);
    if (!status && *have < end)
        status = cut_short(npy, *have, end, "at least ", error);
    if (!status) {
        const char *wrong = parse_header((scanner){text, text + text_bytes}, l);
        if (wrong)
            status = fail(npy, error, ISG_ERR_FORMAT, "malformed header: %s", wrong);
    }
    free(text);
    return status;
}

// Fills in npy->array but for its data; *bytes: what the data must have.
static isg_status accept_layout(isg_npy *npy, const layout *l, int64_t offset, int64_t *bytes, isg_error *error)
{
    if (l->dtype == ISG_DTYPE_NONE)
        return fail(npy, error, ISG_ERR_DTYPE,
                    "element type %s; known are bool, integers of 8 to 64 bits, float32 and float64, little-endian",
                    l->descr);
    isg_array *a = &npy->array;
    a->dtype = l->dtype;
    a->ndim = l->ndim;
    memcpy(a->shape, l->shape, sizeof a->shape);
    if (a->ndim == 0) { // a scalar; views have at least one axis
        a->ndim = 1;
        a->shape[0] = 1;
    }
    int64_t count;
    isg_error inner = {ISG_OK, ""};
    if (isg_shape_count(a->dtype, a->ndim, a->shape, &count, &inner))
        return fail(npy, error, ISG_ERR_FORMAT, "an impossible shape: %s", inner.message);
    *bytes = count * (int64_t)isg_dtype_bytes(a->dtype);
    if (!set_strides(a, l->fortran) || *bytes > INT64_MAX - offset)
        return fail(npy, error, ISG_ERR_FORMAT, "an impossible shape: a distance in it does not fit 64 bits");
    return ISG_OK;
}

// Reads the data into a block that starts with `room` bytes and grows only as data comes: a header proves nothing.
static isg_status read_data(isg_npy *npy, int64_t offset, int64_t bytes, int64_t room, isg_error *error)
{
    int64_t have = 0;
    for (room = isg_min(room, bytes);; room = isg_min(bytes, room > bytes / 2 ? bytes : 2 * room)) {
        void *block = realloc(npy->block, (size_t)isg_max(room, 1));
        if (!block)
            return fail(npy, error, ISG_ERR_MEMORY, "out of memory after %lld bytes of %lld",
                        (long long)(offset + have), (long long)(offset + bytes));
        npy->block = block;
        isg_status status = read_bytes(npy, (char *)block + have, room - have, &have, error);
        if (status)
            return status;
        if (have < room)
            return cut_short(npy, offset + have, offset + bytes, "", error);
        if (room == bytes)
            break;
    }
    npy->array.data = npy->block;
    return ISG_OK;
}

// A regular file tells its size, so that nothing is allocated for a shape that it belies. Whoever shortens the file
// while it is mapped takes its pages away, which ends in SIGBUS: that is for the user to avoid.
static isg_status load_regular(isg_npy *npy, int64_t offset, int64_t bytes, int64_t file_bytes, isg_error *error)
{
    if (file_bytes - offset < bytes)
        return cut_short(npy, file_bytes, offset + bytes, "", error);
    if (offset % (int64_t)isg_dtype_bytes(npy->array.dtype) == 0) {
        npy->bytes = offset + bytes;
        void *map = mmap(NULL, (size_t)npy->bytes, PROT_READ, MAP_PRIVATE, npy->fd, 0);
        if (map != MAP_FAILED) {
            npy->map = map;
            npy->array.data = (char *)map + offset;
            lseek(npy->fd, offset + bytes, SEEK_SET); // standard input may hold another array behind this one
            return ISG_OK;
        }
    }
    return read_data(npy, offset, bytes, bytes, error);
}

static isg_status load(isg_npy *npy, isg_error *error)
{
    struct stat about;
    if (fstat(npy->fd, &about) != 0)
        return fail_errno(npy, error);
    if (S_ISDIR(about.st_mode)) {
        errno = EISDIR;
        return fail_errno(npy, error);
    }
    // Standard input may be a regular file whose beginning somebody else has read already.
    bool whole_file = S_ISREG(about.st_mode) && lseek(npy->fd, 0, SEEK_CUR) == 0;
    layout l = {ISG_DTYPE_NONE, "", false, 0, {0}};
    int64_t offset = 0, bytes = 0;
    isg_status status = read_header(npy, &l, &offset, error);
    if (!status)
        status = accept_layout(npy, &l, offset, &bytes, error);
    if (status)
        return status;
    return whole_file ? load_regular(npy, offset, bytes, about.st_size, error)
                      : read_data(npy, offset, bytes, FIRST_BLOCK_BYTES, error);
}

isg_status isg_npy_open(isg_npy **out, const char *path, isg_error *error)
{
    isg_error_clear(error);
    if (!out)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no place for the handle");
    *out = NULL;
    isg_npy *npy = NULL;
    isg_status status = begin(&npy, path, "standard input", error);
    if (!npy)
        return status;
    if (strcmp(path, "-") == 0)
        npy->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    else
        npy->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    status = npy->fd < 0 ? fail_errno(npy, error) : load(npy, error);
    close_descriptor(&npy->fd);
    if (status)
        isg_npy_close(&npy);
    *out = npy;
    return status;
}

// ---- Writing ----

static const char *descr_of(isg_dtype dtype)
{
    switch (dtype) {
    case ISG_F32: return "<f4";
    case ISG_F64: return "<f8";
    case ISG_I8: return "|i1";
    case ISG_U8: return "|u1";
    case ISG_I16: return "<i2";
    case ISG_U16: return "<u2";
    case ISG_I32: return "<i4";
    case ISG_U32: return "<u4";
    case ISG_I64: return "<i8";
    case ISG_U64: return "<u8";
    case ISG_DTYPE_NONE:
    case ISG_DTYPE_COUNT: break;
    }
    return NULL;
}

// Everything before the data, byte for byte as numpy.save writes it: eight extents of 19 digits need 320 bytes.
static int64_t compose_header(const isg_array *a, char header[HEADER_ROOM])
{
    char tuple[ISG_MAX_NDIM * 21 + 3] = "";
    size_t at = 0;
    for (int32_t axis = 0; axis < a->ndim; axis++)
        at += (size_t)snprintf(tuple + at, sizeof tuple - at, "%s%lld", axis ? ", " : "", (long long)a->shape[axis]);
    int first_digits = snprintf(NULL, 0, "%lld", (long long)a->shape[0]);
    int prefix = MAGIC_BYTES + 4;
    int text = snprintf(header + prefix, HEADER_ROOM - (size_t)prefix,
                        "{'descr': '%s', 'fortran_order': False, 'shape': (%s%s), }%*s", descr_of(a->dtype), tuple,
                        a->ndim == 1 ? "," : "", GROWTH_DIGITS - first_digits, "");
    int padding = ALIGNMENT - (prefix + text + 1) % ALIGNMENT;
    memset(header + prefix + text, ' ', (size_t)padding);
    text += padding + 1;
    header[prefix + text - 1] = '\n';
    memcpy(header, MAGIC "\x01\x00", MAGIC_BYTES + 2);
    header[8] = (char)(text & 255);
    header[9] = (char)(text >> 8);
    return prefix + text;
}

// Fills in npy->array but for its data, the header and npy->bytes.
static isg_status describe(isg_npy *npy, isg_dtype dtype, int32_t ndim, const int64_t *shape, char header[HEADER_ROOM],
                           int64_t *header_bytes, isg_error *error)
{
    if (!descr_of(dtype))
        return fail(npy, error, ISG_ERR_DTYPE, "element type %d is none of the library's", (int)dtype);
    if (!shape)
        return fail(npy, error, ISG_ERR_ARGUMENT, "a new file needs a shape");
    int64_t count;
    isg_error inner = {ISG_OK, ""};
    if (isg_shape_count(dtype, ndim, shape, &count, &inner))
        return fail(npy, error, inner.status, "%s", inner.message);
    isg_array *a = &npy->array;
    a->dtype = dtype;
    a->ndim = ndim;
    memcpy(a->shape, shape, (size_t)ndim * sizeof *shape);
    int64_t bytes = count * (int64_t)isg_dtype_bytes(dtype);
    if (!set_strides(a, false) || bytes > INT64_MAX - HEADER_ROOM)
        return fail(npy, error, ISG_ERR_OVERFLOW, "a distance in this shape does not fit 64 bits");
    *header_bytes = compose_header(a, header);
    npy->bytes = *header_bytes + bytes;
    return ISG_OK;
}

// The descriptor that a path stands for, or -1. Renaming over such a name would replace the name, for root even
// /dev/stdout itself, and would reach nobody who holds the descriptor.
static int named_descriptor(const char *path)
{
    static const char numbered[] = "/dev/fd/";
    if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0)
        return STDOUT_FILENO;
    if (strcmp(path, "/dev/stderr") == 0)
        return STDERR_FILENO;
    if (strncmp(path, numbered, sizeof numbered - 1) != 0)
        return -1;
    const char *digits = path + sizeof numbered - 1;
    size_t length = strspn(digits, "0123456789");
    return length > 0 && length < 8 && digits[length] == 0 ? atoi(digits) : -1;
}

// A likely unused name beside the target; the exclusive call that takes it decides. Not mkostemp, whose mode of 0600
// could only be widened with the umask, and that cannot be read without being set for all threads.
static void choose_hidden(isg_npy *npy, uint64_t attempt)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed = (uint64_t)now.tv_sec * 1000000007u + (uint64_t)now.tv_nsec + ((uint64_t)getpid() << 32);
    seed = (seed ^ (uint64_t)(uintptr_t)npy) + attempt;
    seed = (seed * 0x9e3779b97f4a7c15u) >> 24; // the golden ratio parts close seeds in the high bits
    char letters[7] = "";
    for (int i = 0; i < 6; i++, seed /= 36)
        letters[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[seed % 36];
    snprintf(npy->hidden, sizeof npy->hidden, ".%.200s.%s", npy->target, letters);
}

#ifdef O_TMPFILE
// How linkat names an open file without the privileges that AT_EMPTY_PATH asks for.
static void descriptor_path(int fd, char path[32])
{
    snprintf(path, 32, "/proc/self/fd/%d", fd);
}
#endif

// A file without a name vanishes with the process, however that ends. It is only of use if it can get a name later.
static bool open_nameless(isg_npy *npy)
{
#ifdef O_TMPFILE
    char path[32];
    npy->fd = openat(npy->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    if (npy->fd < 0)
        return false;
    descriptor_path(npy->fd, path);
    if (access(path, F_OK) == 0)
        return true;
    close_descriptor(&npy->fd);
#else
    (void)npy;
#endif
    return false;
}

static bool open_hidden(isg_npy *npy)
{
    for (uint64_t attempt = 0; attempt < NAME_TRIES; attempt++) {
        choose_hidden(npy, attempt);
        npy->fd = openat(npy->directory, npy->hidden, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (npy->fd >= 0)
            return true;
        if (errno != EEXIST)
            break;
    }
    npy->hidden[0] = 0; // it is somebody else's
    return false;
}

static bool link_hidden(isg_npy *npy)
{
#ifdef O_TMPFILE
    char path[32];
    descriptor_path(npy->fd, path);
    for (uint64_t attempt = 0; attempt < NAME_TRIES; attempt++) {
        choose_hidden(npy, attempt);
        if (linkat(AT_FDCWD, path, npy->directory, npy->hidden, AT_SYMLINK_FOLLOW) == 0)
            return true;
        if (errno != EEXIST)
            break;
    }
#endif
    npy->hidden[0] = 0;
    return false;
}

// The file that is to be renamed to `path`, without its space.
static isg_status open_beside(isg_npy *npy, const char *path, isg_error *error)
{
#ifdef O_PATH
    enum { SEARCH = O_PATH | O_DIRECTORY | O_CLOEXEC }; // a directory that may be written need not be readable
#else
    enum { SEARCH = O_RDONLY | O_DIRECTORY | O_CLOEXEC };
#endif
    const char *slash = strrchr(path, '/');
    npy->target = strdup(slash ? slash + 1 : path);
    char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    isg_status status = ISG_OK;
    if (!npy->target || !directory) {
        status = fail(npy, error, ISG_ERR_MEMORY, "out of memory");
    } else if (!npy->target[0]) {
        status = fail(npy, error, ISG_ERR_IO, "cannot be created: it names a directory");
    } else {
        npy->directory = open(directory, SEARCH);
        if (npy->directory < 0 || (!open_nameless(npy) && !open_hidden(npy)))
            status = fail(npy, error, ISG_ERR_IO, "cannot be created: %s", strerror(errno));
    }
    free(directory);
    return status;
}

// A device, pipe or terminal that is there already is written to, not replaced. A path that cannot even be looked up,
// such as one with too long a name, fails now and not after the work.
static isg_status open_target(isg_npy *npy, const char *path, isg_error *error)
{
    int descriptor = named_descriptor(path);
    if (descriptor >= 0) {
        npy->fd = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    } else {
        struct stat about;
        bool exists = stat(path, &about) == 0;
        if (exists ? S_ISREG(about.st_mode) : errno == ENOENT)
            return open_beside(npy, path, error);
        if (exists)
            npy->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    }
    return npy->fd >= 0 ? ISG_OK : fail_errno(npy, error);
}

// Gives the file its size now. Where the file system cannot reserve, a disk that fills up later ends in SIGBUS.
static isg_status reserve(isg_npy *npy, isg_error *error)
{
    int code;
    do {
        code = posix_fallocate(npy->fd, 0, (off_t)npy->bytes);
    } while (code == EINTR);
    if (code == EOPNOTSUPP || code == EINVAL)
        code = ftruncate(npy->fd, (off_t)npy->bytes) == 0 ? 0 : errno;
    if (code == 0)
        return ISG_OK;
    const char *reason = code == ENOSPC ? "no space" : strerror(code);
    int64_t mebibyte = 1 << 20;
    return fail(npy, error, ISG_ERR_IO, "%s: needs %lld MiB", reason,
                (long long)(npy->bytes / mebibyte + (npy->bytes % mebibyte != 0)));
}

// Memory for header and data: the file itself, or a block where there is none or where it cannot be mapped.
static isg_status provide_memory(isg_npy *npy, isg_error *error)
{
    if (npy->target) {
        isg_status status = reserve(npy, error);
        if (status)
            return status;
        void *map = mmap(NULL, (size_t)npy->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, npy->fd, 0);
        if (map != MAP_FAILED) {
            npy->map = map;
            return ISG_OK;
        }
    }
    npy->block = isg_alloc(npy->bytes, 1);
    if (!npy->block)
        return fail(npy, error, ISG_ERR_MEMORY, "out of memory: needs %lld bytes", (long long)npy->bytes);
    return ISG_OK;
}

isg_status isg_npy_create(isg_npy **out, const char *path, isg_dtype dtype, int32_t ndim, const int64_t *shape,
                          isg_error *error)
{
    isg_error_clear(error);
    if (!out)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no place for the handle");
    *out = NULL;
    isg_npy *npy = NULL;
    isg_status status = begin(&npy, path, "standard output", error);
    if (!npy)
        return status;
    npy->created = true;
    char header[HEADER_ROOM];
    int64_t header_bytes = 0;
    status = describe(npy, dtype, ndim, shape, header, &header_bytes, error);
    if (!status)
        status = open_target(npy, path, error);
    if (!status)
        status = provide_memory(npy, error);
    if (status) {
        isg_npy_close(&npy);
        return status;
    }
    char *memory = npy->map ? npy->map : npy->block;
    memcpy(memory, header, (size_t)header_bytes);
    npy->array.data = memory + header_bytes;
    *out = npy;
    return ISG_OK;
}

static isg_status write_block(isg_npy *npy, isg_error *error)
{
    const char *at = npy->block;
    for (int64_t left = npy->bytes; left > 0;) {
        ssize_t put = write(npy->fd, at, (size_t)isg_min(left, CHUNK_BYTES));
        if (put < 0) {
            if (try_again(npy->fd, POLLOUT))
                continue;
            return fail_errno(npy, error);
        }
        at += put;
        left -= put;
    }
    return ISG_OK;
}

// No fsync: what a crash of the machine leaves is up to the file system, as for any program that writes results.
static isg_status put_in_place(isg_npy *npy, isg_error *error)
{
    if (npy->block) {
        isg_status status = write_block(npy, error);
        if (status)
            return status;
    }
    unmap(npy);
    if (npy->target && !npy->hidden[0] && !link_hidden(npy))
        return fail_errno(npy, error);
    int fd = npy->fd;
    npy->fd = -1;
    if (close(fd) != 0 && errno != EINTR) // where network file systems tell of a write that failed
        return fail_errno(npy, error);
    if (npy->target && renameat(npy->directory, npy->hidden, npy->directory, npy->target) != 0)
        return fail_errno(npy, error);
    npy->hidden[0] = 0;
    return ISG_OK;
}

isg_status isg_npy_commit(isg_npy **npy, isg_error *error)
{
    isg_error_clear(error);
    if (!npy || !*npy)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no file to commit");
    isg_status status = (*npy)->created ? put_in_place(*npy, error)
                                        : fail(*npy, error, ISG_ERR_ARGUMENT, "opened for reading, not created");
    isg_npy_close(npy);
    return status;
}
