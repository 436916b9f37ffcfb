/* A ring of links, to be put into what is listed. */
#ifndef LIST_H
#define LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *before, *after;
};

#define link_owner(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

void list_init(struct link *head);
bool list_is_empty(const struct link *head);
void list_append(struct link *head, struct link *link);
void list_remove(struct link *link);
size_t list_length(const struct link *head);

#endif
