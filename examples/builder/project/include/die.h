/* The end of the program when there is nothing else to do. */
#ifndef DIE_H
#define DIE_H

#include <stddef.h>

/* Says why on stderr and exits with 2. */
_Noreturn void die(const char *format, ...);

/* Memory, zeroed, or the end. */
void *need(size_t count, size_t size);

/* More memory, or the end. */
void *need_more(void *old, size_t count, size_t size);

#endif
