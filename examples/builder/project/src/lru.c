#include "lru.h"
#include "die.h"
#include <stdlib.h>

void lru_init(struct lru *lru, size_t room)
{
    list_init(&lru->order);
    lru->entries = need(room, sizeof *lru->entries);
    lru->room = room;
    lru->count = 0;
}

bool lru_touch(struct lru *lru, long key)
{
    struct lru_entry *entry = NULL;
    for (struct link *link = lru->order.after; link != &lru->order; link = link->after) {
        entry = link_owner(link, struct lru_entry, link);
        if (entry->key == key) {
            list_remove(link);
            list_append(&lru->order, link);
            return true;
        }
    }
    if (lru->count < lru->room) {
        entry = &lru->entries[lru->count++];
    } else {
        entry = link_owner(lru->order.after, struct lru_entry, link);
        list_remove(&entry->link);
    }
    entry->key = key;
    list_append(&lru->order, &entry->link);
    return false;
}

void lru_free(struct lru *lru)
{
    free(lru->entries);
}
