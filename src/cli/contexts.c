#include "cli/contexts.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "api/join.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/sort.h"
#include "net/shell.h"
#include "trust/files.h"

#define CURRENT_FILE "context"

/* Where a user's settings of drover lie. */
static char *settings_dir(void)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	struct text dir;
	text_init(&dir, LIMIT_PATH_BYTES);
	if (config && *config)
		text_addf(&dir, "%s/drover", config);
	else
		text_addf(&dir, "%s/.config/drover", home && *home ? home : "/root");
	return text_take(&dir);
}

char *context_folder(const char *name)
{
	_cleanup_free_ char *settings = settings_dir();
	struct text dir;
	text_init(&dir, LIMIT_PATH_BYTES);
	text_addf(&dir, "%s/contexts/%s", settings, name);
	return text_take(&dir);
}

enum err_code context_check_name(const char *name, struct err *err)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);
	if (len > 0 && len <= LIMIT_NAME_BYTES && name[0] != '.' && name[0] != '-' &&
	    strspn(name, letters) == len)
		return ERR_NONE;
	return err_set(err, ERR_INVALID,
		       "\"%.*s\" cannot be a context: a name has up to %d letters, digits, '.', "
		       "'_' and '-'",
		       100, name, LIMIT_NAME_BYTES);
}

bool context_exists(const char *name)
{
	_cleanup_free_ char *dir = context_folder(name);
	return membership_exists(dir);
}

char *context_current(void)
{
	_cleanup_free_ char *settings = settings_dir();
	char *name = NULL;
	if (trust_file_read(settings, CURRENT_FILE, &name, NULL, NULL))
		return base_strdup(CONTEXT_DEFAULT);
	name[strcspn(name, "\n")] = '\0';
	return name;
}

enum err_code context_set_current(const char *name, struct err *err)
{
	_cleanup_free_ char *settings = settings_dir();
	struct text line;
	text_init(&line, LIMIT_NAME_BYTES + 1);
	text_addf(&line, "%s\n", name);
	enum err_code code =
		trust_file_write(settings, CURRENT_FILE, text_string(&line), line.len, err);
	text_release(&line);
	return code;
}

static int compare_names(const void *a, const void *b, void *context)
{
	(void)context;
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void context_names(struct strings *ret_names)
{
	_cleanup_free_ char *folder = context_folder("");
	DIR *dir = opendir(folder);
	*ret_names = (struct strings){ 0 };
	for (const struct dirent *entry; dir && (entry = readdir(dir));)
		if (context_check_name(entry->d_name, NULL) == ERR_NONE &&
		    context_exists(entry->d_name))
			strings_add(ret_names, entry->d_name);
	if (dir)
		closedir(dir);
	if (ret_names->n)
		sort_stable(ret_names->items, ret_names->n, sizeof(char *), compare_names, NULL);
}

/* Renew in time, and when it is too late for everything else. That a manager cannot be reached is told by what follows,
 * unless the certificate is no good any more. */
static enum err_code keep_young(struct context *context, struct err *err)
{
	const struct certificate *certificate = &context->membership.certificate;
	int64_t now_s = shell_wall_ms() / 1000;
	struct err problem;
	if (now_s < certificate_renew_at_s(certificate) ||
	    renew(&context->membership, &context->endpoint, &problem) == ERR_NONE ||
	    now_s <= certificate->not_after_s)
		return ERR_NONE;
	char ended[CERTIFICATE_TIME_SIZE];
	return err_set(err, problem.code, "the certificate expired at %s and cannot be renewed: %s",
		       certificate_time(certificate->not_after_s, ended), problem.message);
}

enum err_code context_open(const char *name, struct context *ret_context, struct err *err)
{
	_cleanup_free_ char *dir = context_folder(name);
	struct context context = { 0 };
	enum err_code code = context_check_name(name, err);
	if (!code && !context_exists(name))
		code = err_set(err, ERR_NOT_FOUND,
			       "there is no context \"%s\"; `drover context ls` lists them", name);
	if (!code)
		code = membership_load(dir, &context.membership, err);
	if (!code)
		code = member_endpoint(&context.membership, &context.endpoint, err);
	if (!code)
		code = keep_young(&context, err);
	if (code)
		context_close(&context);
	else
		*ret_context = context;
	return code;
}

void context_close(struct context *context)
{
	member_endpoint_release(&context->endpoint);
	membership_release(&context->membership);
}
