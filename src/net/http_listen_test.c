/* The socket file: whose it is, and who may replace it. */
#include "net/http_server.h"

#include "net/net_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static int64_t begin(void *owner, struct http_exchange *exchange)
{
	(void)owner;
	(void)exchange;
	return 0;
}

static void ignore(void *owner, struct http_exchange *exchange)
{
	(void)owner;
	(void)exchange;
}

static struct http_server *make_server(struct loop *loop)
{
	static const struct http_handler handler = { begin, ignore, ignore };
	struct http_server_options options;
	http_server_options_default(&options);
	return http_server_new(loop->base, &options, &handler, NULL);
}

static void the_socket_is_private_and_goes_with_the_server(void **state)
{
	(void)state;
	struct loop loop;
	loop_init(&loop);
	char folder[100];
	char path[110];
	text_print(folder, sizeof(folder), "%s/new", loop.folder);
	text_print(path, sizeof(path), "%s/s", folder);
	struct http_server *server = make_server(&loop);
	assert_int_equal(http_server_listen_unix(server, path, NULL), ERR_NONE);
	struct stat found;
	assert_int_equal(stat(path, &found), 0);
	assert_int_equal(found.st_mode & 07777, 0600);
	assert_int_equal(stat(folder, &found), 0);
	assert_int_equal(found.st_mode & 07027, 0);
	http_server_free(server);
	assert_int_equal(stat(path, &found), -1);
	assert_int_equal(rmdir(folder), 0);
	loop_release(&loop);
}

static void a_dead_socket_is_replaced_and_a_live_one_is_not(void **state)
{
	(void)state;
	struct loop loop;
	loop_init(&loop);
	struct sockaddr_un address;
	assert_int_equal(socket_address(loop.path, &address, NULL), ERR_NONE);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);

	struct http_server *first = make_server(&loop);
	struct http_server *second = make_server(&loop);
	struct err err = { 0 };
	assert_int_equal(http_server_listen_unix(first, loop.path, &err), ERR_NONE);
	assert_int_equal(http_server_listen_unix(second, loop.path, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.message, "another process listens"));
	http_server_free(second);
	assert_int_equal(access(loop.path, F_OK), 0);
	http_server_free(first);
	assert_int_equal(access(loop.path, F_OK), -1);
	loop_release(&loop);
}

static void paths_that_cannot_be_listened_on_are_explained(void **state)
{
	(void)state;
	struct loop loop;
	loop_init(&loop);
	struct http_server *server = make_server(&loop);
	struct err err = { 0 };
	char longer[109];
	memset(longer, 'a', sizeof(longer) - 1);
	longer[108] = '\0';
	assert_int_equal(http_server_listen_unix(server, longer, &err), ERR_INVALID);
	assert_int_equal(http_server_listen_unix(server, "", &err), ERR_INVALID);
	int fd = open(loop.path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(http_server_listen_unix(server, loop.path, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.message, "not a socket"));
	assert_int_equal(http_server_listen_unix(server, "/dev/null/a/s", &err), ERR_IO);
	http_server_free(server);
	loop_release(&loop);
}

static void of_two_processes_that_start_at_once_one_gets_the_path(void **state)
{
	(void)state;
	struct loop loop;
	loop_init(&loop);
	int go[2];
	int done[2];
	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(done), 0);
	pid_t children[6];
	for (size_t i = 0; i < ARRAY_LEN(children); i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i])
			continue;
		char byte;
		close(go[1]);
		close(done[1]);
		if (read(go[0], &byte, 1) < 0)
			_exit(3);
		struct http_server *server = make_server(&loop);
		enum err_code code = http_server_listen_unix(server, loop.path, NULL);
		/* Winners stay until all have tried. */
		if (code == ERR_NONE && read(done[0], &byte, 1) < 0)
			_exit(3);
		_exit(code == ERR_NONE ? 1 : code == ERR_CONFLICT ? 0 : 2);
	}
	close(go[1]);
	int winners = 0;
	int reaped = 0;
	for (; reaped < (int)ARRAY_LEN(children) - 1; reaped++) {
		int status = 0;
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	close(done[1]);
	int status = 0;
	assert_true(wait(&status) > 0);
	winners += WIFEXITED(status) && WEXITSTATUS(status) == 1;
	assert_int_equal(winners, 1);
	close(go[0]);
	close(done[0]);
	loop_release(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_socket_is_private_and_goes_with_the_server),
		cmocka_unit_test(a_dead_socket_is_replaced_and_a_live_one_is_not),
		cmocka_unit_test(paths_that_cannot_be_listened_on_are_explained),
		cmocka_unit_test(of_two_processes_that_start_at_once_one_gets_the_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
