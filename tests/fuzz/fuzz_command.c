// The whole command line, in a folder of its own, where no OpenCL platform is to be found: words end at newlines. Words
// with a slash are left out, so that nothing else is written or read.
#define main isogram_main
int isogram_main(int argc, char **argv);
#include "../../tools/main.c"
#undef main

#include "fuzz.h"

#include <getopt.h>
#include <unistd.h>

enum { MOST_WORDS = 24 };

static void begin(void)
{
    char folder[] = "/tmp/isogram-fuzz-XXXXXX";
    MUST(mkdtemp(folder) && chdir(folder) == 0 &&
         rmdir(folder) == 0); // nothing can be written into a folder that is gone
    setenv("OCL_ICD_VENDORS", "/nonexistent", 1);
    setenv("OCL_ICD_FILENAMES", "", 1);
    setenv("ISOGRAM_CACHE_DIR", "", 1);
    MUST(freopen("/dev/null", "r", stdin));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int begun;
    if (!begun++)
        begin();
    char *text = fuzz_text(data, size), *words[MOST_WORDS + 2] = {"isogram"};
    int count = 1;
    for (char *word = strtok(text, "\n"); word && count <= MOST_WORDS; word = strtok(NULL, "\n"))
        if (!strchr(word, '/') && strcmp(word, "-") != 0)
            words[count++] = word;
    words[count] = NULL;
    optind = 0; // glibc's way to begin anew
    int code = dispatch(count, words);
    MUST(code == EXIT_DONE || code == EXIT_FAILED || code == EXIT_USAGE);
    free(text);
    return 0;
}
