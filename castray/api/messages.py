"""The API's sentences for people, in English and Chinese.

A program reads a problem's `type`; its `title`, its `detail` and any `message` are for people, in
Chinese for `Accept-Language: zh` and in English for everybody else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Language", "preferred_language", "sentence", "title"]

Language = Literal["en", "zh"]

ACCEPTED = re.compile(r"\s*([a-zA-Z*]+)[a-zA-Z0-9-]*\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?))?\s*")

TITLES: dict[str, dict[Language, str]] = {
    "bad-request": {"en": "Bad request", "zh": "请求有误"},
    "invalid-request": {"en": "Invalid request", "zh": "请求无效"},
    "login-required": {"en": "Login required", "zh": "需要登录"},
    "wrong-token": {"en": "Wrong token", "zh": "令牌错误"},
    "read-only": {"en": "Read only", "zh": "只读权限"},
    "foreign-host": {"en": "Foreign host", "zh": "主机名不被接受"},
    "foreign-origin": {"en": "Foreign origin", "zh": "来源不被接受"},
    "not-found": {"en": "Not found", "zh": "未找到"},
    "method-not-allowed": {"en": "Method not allowed", "zh": "方法不被允许"},
    "ambiguous-name": {"en": "Ambiguous name", "zh": "名称不唯一"},
    "body-too-large": {"en": "Body too large", "zh": "请求体过大"},
    "internal-error": {"en": "Internal error", "zh": "内部错误"},
    "registry-unavailable": {"en": "Registry unavailable", "zh": "注册中心不可用"},
    "page-not-built": {"en": "Page not built", "zh": "页面尚未构建"},
    "http-error": {"en": "HTTP error", "zh": "HTTP 错误"},
    "address-refused": {"en": "Address refused", "zh": "地址被策略拒绝"},
    "cluster-unreachable": {"en": "Cluster unreachable", "zh": "无法连接集群"},
    "cluster-wants-token": {"en": "The cluster wants a token", "zh": "集群需要令牌"},
    "not-a-ray-dashboard": {"en": "Not a Ray dashboard", "zh": "不是 Ray 仪表板"},
    "unsafe-path": {"en": "Path refused", "zh": "路径不被允许"},
    "source-file": {"en": "File cannot be read", "zh": "无法读取文件"},
    "target-file": {"en": "File cannot be written", "zh": "无法写入文件"},
    "target-exists": {"en": "It is there already", "zh": "目标已存在"},
    "agent-unreachable": {"en": "Node out of reach", "zh": "无法访问节点"},
    "cast-failed": {"en": "Cast failed", "zh": "传输失败"},
}

SENTENCES: dict[str, dict[Language, str]] = {
    "bad-request": {
        "en": "The request could not be read: {reason}.",
        "zh": "无法读取该请求：{reason}。",
    },
    "invalid-request": {
        "en": "Some of what was sent is not valid: `errors` says which part, and why.",
        "zh": "提交的内容有误：`errors` 中列出了每一处及其原因。",
    },
    "login-required": {
        "en": "This CastRay wants a token: send `Authorization: Bearer TOKEN`, or log in at /ui. "
        "`castray up` prints where it keeps the token.",
        "zh": "此 CastRay 需要令牌：请发送 `Authorization: Bearer 令牌`，或在 /ui 登录。"
        "`castray up` 会显示令牌保存的位置。",
    },
    "wrong-token": {
        "en": "This token is not the one that CastRay was started with: check it for a typing "
        "mistake, or take the one from the token file.",
        "zh": "该令牌与 CastRay 启动时使用的不符：请检查是否输入有误，或使用令牌文件中的令牌。",
    },
    "read-only": {
        "en": "The viewer token only shows how things stand: log in with the full token to change "
        "anything, or to see files.",
        "zh": "查看令牌只能查看状态：如需更改或查看文件，请使用完整权限的令牌登录。",
    },
    "foreign-host": {
        "en": "This CastRay is bound to this machine only and answers to localhost, 127.0.0.1 and "
        "[::1]; the request was for another host. To be reached under other names, set a token.",
        "zh": "此 CastRay 仅绑定本机，只接受 localhost、127.0.0.1 和 [::1]；"
        "该请求指向其他主机名。如需以其他名称访问，请设置令牌。",
    },
    "foreign-origin": {
        "en": "The web page that sent this request is not CastRay's own; to let it in, add its "
        "origin to web_server.cors_origins.",
        "zh": "发出该请求的网页不属于 CastRay；如需允许，请将其来源加入 web_server.cors_origins。",
    },
    "not-found": {
        "en": "There is nothing at {path}: /docs lists what there is.",
        "zh": "{path} 不存在：/docs 列出了全部接口。",
    },
    "no-such-thing": {
        "en": "There is no {kind} {name}; list them to see the names and ids.",
        "zh": "没有名为 {name} 的{kind}；请先列出以查看名称和编号。",
    },
    "method-not-allowed": {
        "en": "{path} does not take {method}: it takes {allowed}.",
        "zh": "{path} 不支持 {method}：支持的方法为 {allowed}。",
    },
    "ambiguous-name": {
        "en": "{name} fits {count} {kind}s: use one of the keys in `candidates`.",
        "zh": "{name} 对应 {count} 个{kind}：请使用 `candidates` 中的一个键。",
    },
    "body-too-large": {
        "en": "More was sent than CastRay reads at once: a request may have 1 MiB, a message on "
        "/ws 4096 characters.",
        "zh": "发送的内容超过上限：请求最多 1 MiB，/ws 上的一条消息最多 4096 个字符。",
    },
    "internal-error": {
        "en": "CastRay made a mistake; its log has the details. Please report it.",
        "zh": "CastRay 内部出错，详情见日志。请反馈此问题。",
    },
    "registry-unavailable": {
        "en": "CastRay's registry does not answer. It comes back by itself while the head node "
        "lives; if it stays away, run `castray up` again.",
        "zh": "CastRay 注册中心没有响应。只要头节点存活，它会自行恢复；"
        "若长时间未恢复，请重新运行 `castray up`。",
    },
    "page-not-built": {
        "en": "The page has not been built: run `make page` in the source tree (it needs npm).",
        "zh": "页面尚未构建：请在源码目录运行 `make page`（需要 npm）。",
    },
    "told": {"en": "{reason}.", "zh": "{reason}。"},
    "discovered": {
        "en": "Found {found} external cluster(s); {connected} of them connected.",
        "zh": "发现 {found} 个外部集群，其中 {connected} 个已连接。",
    },
    "wants-token": {
        "en": " Connect with its token: {addresses}.",
        "zh": "需要令牌才能连接：{addresses}。",
    },
    "connected": {
        "en": "Connected to {address}: {count} node(s).",
        "zh": "已连接到 {address}：{count} 个节点。",
    },
    "disconnected": {
        "en": "Disconnected {count} external cluster(s).",
        "zh": "已断开 {count} 个外部集群。",
    },
    "http-error": {"en": "{reason}.", "zh": "{reason}。"},
    "feed-lost": {
        "en": "The registry has not answered since {since}: everything counts as unknown.",
        "zh": "注册中心自 {since} 起没有响应：所有状态均视为未知。",
    },
    "malformed-message": {
        "en": 'A message is `ping` or {{"type": "resume", "data": {{"version": "3.141"}}}}: '
        "{reason}.",
        "zh": '消息应为 `ping` 或 {{"type": "resume", "data": {{"version": "3.141"}}}}：{reason}。',
    },
}

KINDS: dict[str, str] = {
    "node": "节点",
    "cluster": "集群",
    "cast": "传输任务",
    "connected cluster": "已连接的集群",
}


def preferred_language(headers: Mapping[str, str]) -> Language:
    """Chinese where `Accept-Language` prefers it to English, else English."""
    wanted: dict[str, float] = {}
    for item in headers.get("accept-language", "").split(","):
        match = ACCEPTED.fullmatch(item)
        if match:
            language, quality = match[1].lower(), float(match[2] or 1)
            wanted[language] = max(quality, wanted.get(language, 0.0))
    return "zh" if wanted.get("zh", 0.0) > wanted.get("en", 0.0) else "en"


def title(code: str, language: Language) -> str:
    """The few words for a problem of that code."""
    return TITLES[code][language]


def sentence(name: str, language: Language, /, **values: object) -> str:
    """The sentence of that name, with the values in their places."""
    if language == "zh" and "kind" in values:
        values["kind"] = KINDS.get(str(values["kind"]), values["kind"])
    return SENTENCES[name][language].format(**values)
