#include "job/platform.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

struct spelling {
	const char *written;
	const char *architecture;
	const char *variant;
};

/* As containerd reads them. */
static const struct spelling spellings[] = {
	{ "x86_64", "amd64", "" }, { "x86-64", "amd64", "" }, { "aarch64", "arm64", "" },
	{ "i386", "386", "" },	   { "i686", "386", "" },     { "armhf", "arm", "v7" },
	{ "armel", "arm", "v6" },  { "armv5l", "arm", "v5" }, { "armv6l", "arm", "v6" },
	{ "armv7l", "arm", "v7" }, { "armv8l", "arm", "v8" },
};

static const char *const architectures[] = {
	"amd64", "arm64", "arm", "386", "ppc64le", "riscv64", "s390x", "loong64", "mips64le",
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_word(const char *text, const char *word)
{
	while (*word && lower(*text) == *word) {
		text++;
		word++;
	}
	return !*text && !*word;
}

static const struct spelling *find_spelling(const char *architecture)
{
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++)
		if (is_word(architecture, spellings[i].written))
			return &spellings[i];
	return NULL;
}

const char *platform_architecture(const char *architecture)
{
	const struct spelling *spelling = find_spelling(architecture);
	return spelling ? spelling->architecture : architecture;
}

static bool is_architecture(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(architectures); i++)
		if (is_word(platform_architecture(word), architectures[i]))
			return true;
	return false;
}

/* A part in lower case; false: it is no word of a platform. */
static bool take_word(const char *text, size_t len, char out[PLATFORM_WORD_SIZE])
{
	if (!len || len >= PLATFORM_WORD_SIZE)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = lower(text[i]);
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      (i && (c == '_' || c == '.' || c == '-'))))
			return false;
		out[i] = c;
	}
	out[len] = '\0';
	return true;
}

static void settle_spelling(struct platform *platform)
{
	const struct spelling *spelling = find_spelling(platform->architecture);
	if (spelling) {
		text_print(platform->architecture, PLATFORM_WORD_SIZE, "%s",
			   spelling->architecture);
		if (!platform->variant[0])
			text_print(platform->variant, PLATFORM_WORD_SIZE, "%s", spelling->variant);
	}
	if (strcmp(platform->architecture, "arm64") == 0 && strcmp(platform->variant, "v8") == 0)
		platform->variant[0] = '\0';
}

enum err_code platform_parse(const char *text, struct platform *ret_platform, struct err *err)
{
	struct platform platform = { .os = "" };
	char *const parts[] = { platform.os, platform.architecture, platform.variant };
	size_t n = 0;
	const char *at = text;
	bool good = true;
	for (; good && at && n < ARRAY_LEN(parts); n++) {
		size_t len = strcspn(at, "/");
		good = take_word(at, len, parts[n]);
		at = at[len] ? at + len + 1 : NULL;
	}
	if (!good || at)
		return err_set(err, ERR_INVALID,
			       "\"%.*s\" is not a platform: write OS, OS/ARCHITECTURE or "
			       "OS/ARCHITECTURE/VARIANT, as in linux/arm64",
			       64, text);
	if (n == 1 && is_architecture(platform.os))
		return err_set(err, ERR_INVALID, "\"%.*s\" is an architecture: write linux/%.*s",
			       64, text, 64, text);
	settle_spelling(&platform);
	*ret_platform = platform;
	return ERR_NONE;
}

struct platform platform_of_machine(const char *os, const char *machine)
{
	struct platform platform = { .os = "" };
	if (os && !take_word(os, strlen(os), platform.os))
		platform.os[0] = '\0';
	if (machine && !take_word(machine, strlen(machine), platform.architecture))
		platform.architecture[0] = '\0';
	settle_spelling(&platform);
	return platform;
}

static bool part_fits(const char *there, const char *asked)
{
	return !there[0] || !asked[0] || strcmp(there, asked) == 0;
}

bool platform_runs(const struct platform *there, const struct platform *asked)
{
	if (!part_fits(there->os, asked->os) ||
	    !part_fits(there->architecture, asked->architecture))
		return false;
	if (strcmp(asked->architecture, "arm") == 0 && there->variant[0] && asked->variant[0])
		return strcmp(asked->variant, there->variant) <= 0;
	return true;
}
