"""Environment variables by what they do, in families: programs invent new members of each all the time."""

from __future__ import annotations

import re
from typing import Final

_FLAGS = re.VERBOSE | re.IGNORECASE

_CODE = re.compile(
    r"""
    (?:LD|DYLD)_\w+ | GLIBC_TUNABLES | GCONV_PATH
    | PYTHON(?:PATH|HOME|STARTUP|USERBASE|BREAKPOINT|EXECUTABLE|WARNINGS|INSPECT|PLATLIBDIR|CASEOK|PYCACHEPREFIX)
    | NODE_(?:OPTIONS|PATH|REPL_EXTERNAL_MODULE|CHANNEL_FD) | BUN_(?:OPTIONS|INSPECT\w*) | DENO_(?:DIR|NODE_\w+)
    | PERL5\w+ | PERLLIB | PERL_\w+ | RUBY(?:OPT|LIB|SHELL|PATH) | GEM_(?:PATH|HOME) | BUNDLE_(?:GEMFILE|PATH)
    | PHPRC | PHP_INI_SCAN_DIR | LUA_(?:C?PATH|INIT)\w* | R_(?:PROFILE|ENVIRON|LIBS)\w*
    | (?:_|JDK_)?JAVA_(?:TOOL_)?OPTIONS | CLASSPATH | (?:MAVEN|GRADLE|ANT|SBT|JRUBY|KOTLIN)_(?:OPTS|ARGS)
    | DOTNET_(?:STARTUP_HOOKS|ADDITIONAL_DEPS) | (?:CORECLR|COR)_\w+
    | BASH_(?:ENV|FUNC_.*) | ENV | ZDOTDIR | PROMPT_COMMAND | PS[0-4] | SHELLOPTS | BASHOPTS | IFS | SHELL | COMSPEC
    | PATH | PATHEXT | EDITOR | VISUAL | \w*PAGER | BROWSER | LESS(?:OPEN|CLOSE) | \w*_?ASKPASS | FCEDIT
    | GIT_(?:SSH\w*|EXTERNAL_DIFF|PROXY_COMMAND|EXEC_PATH|TEMPLATE_DIR|CONFIG\w*|DIR|WORK_TREE|\w*EDITOR)
    | OPENSSL_(?:CONF|MODULES|ENGINES) | RUSTC\w* | CARGO_(?:TARGET_\w+_(?:RUNNER|LINKER)|BUILD_RUSTC\w*) | GOFLAGS
    | MAKEFLAGS
    | NPM_CONFIG_(?:SCRIPT_SHELL|NODE_OPTIONS|PREFIX|GLOBALCONFIG|USERCONFIG|GIT|EDITOR|SHELL|IGNORE_SCRIPTS)
    | (?:CLAUDE_CODE|CODEX|GEMINI|COPILOT)_(?:SHELL\w*|\w*SANDBOX\w*|DISABLE_COMMAND_INJECTION_CHECK)
    """,
    _FLAGS,
)
_PROVIDER = (
    r"(?:ANTHROPIC|CLAUDE|OPENAI|AZURE_OPENAI|CODEX|GEMINI|GOOGLE|VERTEX|BEDROCK|AWS|MISTRAL|GROQ|XAI|DEEPSEEK|COHERE|"
    r"OLLAMA|OPENROUTER|TOGETHER|PERPLEXITY|HUGGING_?FACE|HF|LITELLM|LLM|COPILOT|CURSOR|MOONSHOT|KIMI|ZAI|GLM|QWEN|"
    r"DASHSCOPE|MINIMAX|REPLICATE|FIREWORKS|CEREBRAS|GITHUB|GITLAB)"
)
_TRAFFIC = re.compile(
    rf"""
    (?!NO_PROXY$) \w*PROXY(?:_URL|_HOST|_PORT|_SERVER)? | GOPROXY
    | {_PROVIDER}(?:_\w+)?_(?:BASE_?URL|API_?URL|API_BASE|ENDPOINT(?:_URL(?:_\w+)?)?|API_ENDPOINT|API_HOST|BASE)
    | {_PROVIDER}_(?:HOST|URL|SERVER_URL) | \w+_CUSTOM_HEADERS
    | OTEL_EXPORTER_\w*ENDPOINT
    | (?:PIP|UV)_(?:\w*INDEX\w*|FIND_LINKS|TRUSTED_HOST|INSECURE_HOST|CONFIG_FILE) | POETRY_REPOSITORIES_\w+
    | NPM_CONFIG_(?:\w*REGISTRY|PROXY|HTTPS_PROXY) | YARN_\w*REGISTRY\w* | CARGO_(?:REGISTR|SOURCE)\w+
    | BUNDLE_MIRROR\w*
    | GO(?:NOSUMDB|SUMDB|INSECURE|NOSUMCHECK|PRIVATE|NOPROXY) | DOCKER_HOST | HOSTALIASES | LOCALDOMAIN | RES_OPTIONS
    """,
    _FLAGS,
)
_TRUST = re.compile(
    r"""
    NODE_(?:TLS_REJECT_UNAUTHORIZED|EXTRA_CA_CERTS|USE_SYSTEM_CA) | SSL_CERT_(?:FILE|DIR) | SSLKEYLOGFILE
    | \w*CA_BUNDLE | \w*_CA_?(?:INFO|FILE|CERTS?|PATH|STORE) | (?:PIP|DENO|UV)_(?:CERT|TLS_CA_STORE)
    | GIT_SSL_\w+ | PYTHONHTTPSVERIFY | NPM_CONFIG_(?:STRICT_SSL|CA|CAFILE) | GRPC_DEFAULT_SSL_ROOTS_FILE_PATH
    | CARGO_HTTP_(?:CAINFO|CHECK_REVOKE) | CLAUDE_CODE_CERT_STORE
    """,
    _FLAGS,
)
_FAMILIES: Final = (("changes-trust", _TRUST), ("redirects-traffic", _TRAFFIC), ("changes-what-runs", _CODE))
_HARMLESS: Final = {"node_tls_reject_unauthorized": "1", "pythonhttpsverify": "1", "npm_config_strict_ssl": "true"}
_SHOWS = re.compile(r"(?:\w*PAGER|\w*EDITOR|VISUAL)", _FLAGS)
_PLAIN_PROGRAMS: Final = frozenset({
    "", ":", "cat", "true", "less", "more", "vi", "vim", "nvim", "nano", "emacs", "code", "code --wait", "code -w",
})  # fmt: skip


def variable_rule(name: str, value: str | None = None) -> str | None:
    """The rule that setting this variable breaks, None if it is harmless; names ignore case, as on Windows."""
    if value is not None and _is_harmless(name, value.strip()):
        return None
    return next((rule for rule, family in _FAMILIES if family.fullmatch(name)), None)


def _is_harmless(name: str, value: str) -> bool:
    if name == "ENV":  # a shell reads the file that it names; everybody else takes it for a word such as "production"
        return value.replace("-", "").replace("_", "").isalnum()
    if _SHOWS.fullmatch(name):
        return value in _PLAIN_PROGRAMS
    return _HARMLESS.get(name.lower()) == value.lower()
