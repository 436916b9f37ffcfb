#include "codes.h"
#include "show.h"
#include "sums.h"

typedef void encode(struct text *out, struct slice in);
typedef bool decode(struct text *out, struct slice in);

static void both(struct text *out, const char *name, encode *encode, decode *decode, const char *words)
{
    struct text coded = { 0 }, plain = { 0 };
    encode(&coded, slice_of(words));
    bool fine = decode(&plain, (struct slice){ text_string(&coded), coded.length });
    fine = fine && slice_is((struct slice){ text_string(&plain), plain.length }, words);
    text_format(out, "%s: %s%s\n", name, text_string(&coded), fine ? "" : " (and not back)");
    text_free(&coded);
    text_free(&plain);
}

void show_codes(struct text *out)
{
    both(out, "hex", hex_encode, hex_decode, "a desk");
    both(out, "base64", base64_encode, base64_decode, "a");
    both(out, "base64", base64_encode, base64_decode, "a desk by a wall");
    both(out, "runs", runs_encode, runs_decode, "aaaabccccccccccccd");
    text_add_string(out, "caesar: ");
    caesar(out, slice_of("Attack at Dawn!"), 3);
    text_format(out, "\ncrc32: %08x\n", crc32(slice_of("123456789")));
    text_format(out, "adler32: %08x\n", adler32(slice_of("Wikipedia")));
    text_format(out, "luhn: %d %d\n", luhn_holds(slice_of("79927398713")), luhn_holds(slice_of("79927398710")));
}
