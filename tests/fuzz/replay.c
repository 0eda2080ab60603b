// Runs a fuzz target on files, and on every file of folders: replay FILE|FOLDER...
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

static int tried;

static void try_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    MUST(file);
    MUST(fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    MUST(size >= 0);
    rewind(file);
    uint8_t *data = malloc(size ? (size_t)size : 1);
    MUST(data && fread(data, 1, (size_t)size, file) == (size_t)size);
    fclose(file);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    tried++;
}

static void try_path(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return; // a target without crashes has no folder of them
    if (!S_ISDIR(info.st_mode)) {
        try_file(path);
        return;
    }
    DIR *folder = opendir(path);
    MUST(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char name[4096];
        MUST(snprintf(name, sizeof name, "%s/%s", path, entry->d_name) < (int)sizeof name);
        if (entry->d_name[0] != '.')
            try_path(name);
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        try_path(argv[i]);
    printf("%d inputs\n", tried);
    return tried ? EXIT_SUCCESS : EXIT_FAILURE;
}
