#include "cli/joining.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"

#define TOKEN_FILE_BYTES_MAX 1024

static enum err_code read_file(const char *path, char **ret_text, struct err *err)
{
	char text[TOKEN_FILE_BYTES_MAX + 1];
	FILE *file = fopen(path, "re");
	if (!file)
		return err_set_field(err, ERR_IO, "--token-file", "%s: %s", path, strerror(errno));
	size_t len = fread(text, 1, sizeof(text), file);
	fclose(file);
	if (len > TOKEN_FILE_BYTES_MAX)
		return err_set_field(err, ERR_TOO_LARGE, "--token-file", "%s holds no token", path);
	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	*ret_text = base_strndup(text, len);
	return ERR_NONE;
}

enum err_code joining_token(const struct invocation *invocation, char **ret_token, struct err *err)
{
	const char *given = cli_string(invocation, "token", NULL);
	const char *path = cli_string(invocation, "token-file", NULL);
	const char *environment = getenv("DROVER_TOKEN");
	*ret_token = NULL;
	if (!given && path)
		return read_file(path, ret_token, err);
	if (!given && environment && *environment)
		given = environment;
	*ret_token = base_strdup(given);
	return ERR_NONE;
}

char *joining_name(bool of_user)
{
	char host[LIMIT_HOSTNAME_BYTES + 1] = "";
	const struct passwd *user = of_user ? getpwuid(geteuid()) : NULL;
	struct text name;
	gethostname(host, sizeof(host) - 1);
	text_init(&name, LIMIT_HOSTNAME_BYTES);
	if (user)
		text_addf(&name, "%s@", user->pw_name);
	text_add(&name, host);
	return text_take(&name);
}
