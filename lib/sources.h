// The texts of cl/, as tools/embed.py put them into the library.
#ifndef ISG_LIB_SOURCES_H
#define ISG_LIB_SOURCES_H

typedef struct isg_source {
    const char *name; // the file's name in cl/; NULL ends the list
    const char *text;
} isg_source;

extern const isg_source isg_sources[];

// The text of a file of cl/; "" when there is none of that name.
const char *isg_source_text(const char *name);

#endif
