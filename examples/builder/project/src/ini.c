#include "forms.h"
#include <string.h>

const char *ini_read(struct slice in, ini_tell *tell, void *with)
{
    struct slice section = slice_of(""), line;
    while (slice_next(&in, '\n', &line)) {
        line = slice_trim(line);
        if (!line.length || line.start[0] == ';')
            continue;
        if (line.start[0] == '[') {
            if (line.start[line.length - 1] != ']')
                return "a section is not closed";
            section = slice_trim((struct slice){ line.start + 1, line.length - 2 });
            continue;
        }
        struct slice rest = line, name;
        slice_next(&rest, '=', &name);
        if (!rest.start)
            return "a line is neither a section nor a value";
        tell(section, slice_trim(name), slice_trim(rest), with);
    }
    return NULL;
}
