#include "list.h"

void list_init(struct link *head)
{
    head->before = head->after = head;
}

bool list_is_empty(const struct link *head)
{
    return head->after == head;
}

void list_append(struct link *head, struct link *link)
{
    link->before = head->before;
    link->after = head;
    head->before->after = link;
    head->before = link;
}

void list_remove(struct link *link)
{
    link->before->after = link->after;
    link->after->before = link->before;
    list_init(link);
}

size_t list_length(const struct link *head)
{
    size_t length = 0;
    for (const struct link *link = head->after; link != head; link = link->after)
        length++;
    return length;
}
