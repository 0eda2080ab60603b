// Journals of stores. The input's first bytes say what matrix a journal is of: it is written, must read back as the
// same, and with any byte changed must be known for damaged. All of the input is also taken for a journal.
#include "fuzz.h"
#include "store_journal.h"

#include <string.h>

static int64_t number(const uint8_t **at, const uint8_t *end, int bytes)
{
    int64_t value = 0;
    for (int i = 0; i < bytes && *at < end; i++)
        value |= (int64_t) * (*at)++ << 8 * i;
    return value;
}

static void write_and_damage(const uint8_t *at, const uint8_t *end)
{
    isg_journal made = {.layout = (isg_store_layout)number(&at, end, 1), .dtype = (isg_dtype)number(&at, end, 1)};
    made.symmetric = number(&at, end, 1) & 1;
    made.n = number(&at, end, 5);
    made.m = number(&at, end, 5);
    made.d = number(&at, end, 3);
    made.side = number(&at, end, 2);
    const int64_t place = number(&at, end, 3), bit = number(&at, end, 1) & 7;
    char *text = fuzz_text(at, (size_t)(end - at));
    for (char *c = text; *c; c++)
        *c = *c < ' ' ? ' ' : *c;
    if (!isg_journal_derive(&made)) {
        const char *lines[ISG_LINE_COUNT] = {text, "", "isogram-2/f32/fused", text, NULL, "", ""};
        uint8_t *header = isg_journal_write(&made, lines);
        if (header) {
            isg_journal again = {0};
            const char *wrong = isg_journal_parse(&again, header, made.header_bytes);
            MUST(!wrong && again.n == made.n && again.m == made.m && again.side == made.side &&
                 again.tiles == made.tiles);
            MUST(again.seed == made.seed && strcmp(again.lines[ISG_LINE_KERNEL], text) == 0);
            isg_journal_free(&again);
            header[place % made.header_bytes] ^= (uint8_t)(1 << bit);
            MUST(isg_journal_parse(&again, header, made.header_bytes));
            free(header);
        }
        isg_journal_free(&made);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    MUST(copy);
    memcpy(copy, data, size);
    isg_journal journal = {0};
    int damaged = 0;
    if (!isg_journal_find(&journal, copy, (int64_t)size, &damaged))
        isg_journal_free(&journal);
    free(copy);
    write_and_damage(data, data + size);
    return 0;
}
