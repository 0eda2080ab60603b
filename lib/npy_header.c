#include "npy_header.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum {
    ALIGNMENT = 64,     // numpy's ARRAY_ALIGN: where the data of a written file starts
    GROWTH_DIGITS = 21, // numpy's GROWTH_AXIS_MAX_DIGITS: room to grow the first axis in place
};

static const struct {
    const char *code; // what follows the mark of the byte order
    isg_dtype dtype;
} types[] = {
    {"f4", ISG_F32}, {"f8", ISG_F64}, {"i1", ISG_I8},  {"u1", ISG_U8},
    {"i2", ISG_I16}, {"u2", ISG_U16}, {"i4", ISG_I32}, {"u4", ISG_U32},
    {"i8", ISG_I64}, {"u8", ISG_U64}, {"f2", ISG_F16}, {"b1", ISG_U8}, // written as u1
};
_Static_assert(COUNT(types) == ISG_DTYPE_COUNT, "a dtype without a row: b1 stands where ISG_DTYPE_NONE has none");

// ---- Tokens ----

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
    char quote = take(s, '\'') ? '\'' : '"';
    if (quote == '"' && !take(s, quote))
        return false;
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

// ---- The three values: each parser returns NULL, or what is wrong ----

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

static const char *parse_shape(scanner *s, isg_npy_header *h)
{
    if (!take(s, '('))
        return "'shape' is not a tuple";
    bool comma = true;
    while (!take(s, ')')) {
        int64_t extent;
        const char *wrong = comma ? parse_extent(s, &extent) : "'shape' lacks a comma or its end";
        if (wrong)
            return wrong;
        if (h->ndim == ISG_MAX_NDIM)
            return "'shape' has more than 8 dimensions";
        h->shape[h->ndim++] = extent;
        comma = take(s, ',');
    }
    return h->ndim == 1 && !comma ? "'shape' is a number in parentheses, not a tuple" : NULL;
}

static const char *parse_order(scanner *s, isg_npy_header *h)
{
    h->fortran = take_word(s, "True");
    return h->fortran || take_word(s, "False") ? NULL : "'fortran_order' is neither True nor False";
}

static isg_dtype find_dtype(scanner descr)
{
    if (descr.at == descr.end)
        return ISG_DTYPE_NONE;
    char order = *descr.at++;
    for (size_t i = 0; i < COUNT(types); i++) {
        if (equals(descr, types[i].code)) {
            bool orderless = order == '|' && isg_dtype_bytes(types[i].dtype) == 1;
            return orderless || order == '<' || order == '=' ? types[i].dtype : ISG_DTYPE_NONE;
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

static void copy_printable(char *to, size_t room, scanner from)
{
    size_t length = (size_t)(from.end - from.at), kept = length < room ? length : room - 1;
    for (size_t i = 0; i < kept; i++)
        to[i] = (char)(from.at[i] >= ' ' && from.at[i] <= '~' ? from.at[i] : '?');
    to[kept] = 0;
    if (kept < length)
        memcpy(to + kept - 3, "...", 3);
}

static const char *parse_descr(scanner *s, isg_npy_header *h)
{
    skip_space(s);
    const char *first = s->at;
    scanner text;
    if (take_string(s, &text))
        h->dtype = find_dtype(text);
    else if (s->at == s->end || (*s->at != '[' && *s->at != '(') || !skip_nested(s))
        return "'descr' is neither a string nor a list";
    copy_printable(h->descr, sizeof h->descr, (scanner){first, s->at});
    return NULL;
}

// ---- The whole ----

static const char *parse_entry(scanner *s, isg_npy_header *h, unsigned *seen)
{
    static const struct {
        const char *key;
        const char *(*parse)(scanner *, isg_npy_header *);
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
        return take(s, ':') ? entries[i].parse(s, h) : "a key lacks its colon";
    }
    return "a key other than 'descr', 'fortran_order' and 'shape'";
}

const char *isg_npy_parse_header(isg_npy_header *header, const char *text, int64_t bytes)
{
    memset(header, 0, sizeof *header);
    scanner s = {text, text + bytes};
    if (!take(&s, '{'))
        return "not a dictionary";
    unsigned seen = 0;
    bool comma = true;
    while (!take(&s, '}')) {
        const char *wrong = comma ? parse_entry(&s, header, &seen) : "the dictionary lacks a comma or its end";
        if (wrong)
            return wrong;
        comma = take(&s, ',');
    }
    skip_space(&s);
    if (s.at != s.end)
        return "text behind the dictionary";
    return seen == 7 ? NULL : "'descr', 'fortran_order' or 'shape' is missing";
}

static const char *code_of(isg_dtype dtype)
{
    size_t i = 0;
    while (types[i].dtype != dtype)
        i++;
    return types[i].code;
}

// Eight extents of 19 digits need 320 bytes.
int64_t isg_npy_write_header(const isg_array *array, char header[ISG_NPY_HEADER_ROOM])
{
    char tuple[ISG_MAX_NDIM * 21 + 3] = "";
    size_t at = 0;
    for (int32_t axis = 0; axis < array->ndim; axis++)
        at +=
            (size_t)snprintf(tuple + at, sizeof tuple - at, "%s%lld", axis ? ", " : "", (long long)array->shape[axis]);
    int first_digits = snprintf(NULL, 0, "%lld", (long long)array->shape[0]);
    int prefix = ISG_NPY_MAGIC_BYTES + 4;
    int text = snprintf(header + prefix, ISG_NPY_HEADER_ROOM - (size_t)prefix,
                        "{'descr': '%c%s', 'fortran_order': False, 'shape': (%s%s), }%*s",
                        isg_dtype_bytes(array->dtype) == 1 ? '|' : '<', code_of(array->dtype), tuple,
                        array->ndim == 1 ? "," : "", GROWTH_DIGITS - first_digits, "");
    int padding = ALIGNMENT - (prefix + text + 1) % ALIGNMENT;
    memset(header + prefix + text, ' ', (size_t)padding);
    text += padding + 1;
    header[prefix + text - 1] = '\n';
    memcpy(header, ISG_NPY_MAGIC "\x01\x00", ISG_NPY_MAGIC_BYTES + 2);
    header[8] = (char)(text & 255);
    header[9] = (char)(text >> 8);
    return prefix + text;
}
