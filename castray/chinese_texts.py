"""What goes wrong with casts and with other clusters, in English and Chinese.

The English text is written where it is raised, and is the key here; `castray.chinese` finds it. In
braces stand its values, by the same names on both sides. `problem`, `kind`, `state` and `action`
may themselves be texts of these tables, and are translated too; every other value is kept as it
is. Texts end without a full stop. A test compares these tables with all that is raised.
"""

from __future__ import annotations

__all__ = ["PARTS", "SUBJECTS", "SYSTEM_TEXTS", "TALK_TEXTS", "TEXTS", "WORDS"]

PATH_TEXTS = {
    "lies outside of what this node shares: {roots} (setting transfer.roots)": (
        "不在该节点的共享目录之内：{roots}（设置 transfer.roots）"
    ),
    "is absolute where a path beneath a directory was expected": (
        "是绝对路径，而这里需要某个目录之下的路径"
    ),
    "is longer than {limit} bytes": "长度超过 {limit} 字节",
    "leads upwards by '..', which is not allowed": "使用“..”指向上级目录，这是不允许的",
    "has a NUL character in it": "含有 NUL 字符",
    "has a name that is not UTF-8: rename it, then cast it": (
        "名称不是 UTF-8 编码：请重命名后再传输"
    ),
    "has a name of {length} bytes; {limit} is the most": (
        "名称长 {length} 字节，最多允许 {limit} 字节"
    ),
    "lies in what a cast is still receiving": "位于某个传输任务尚在接收的内容之中",
    "is {kind}; only files can be read": "是{kind}；只能读取文件",
    "is {kind}, and that cannot be cast": "是{kind}，无法传输",
    "has a symbolic link that leads out": "含有指向外部的符号链接",
    "has a symbolic link that leads out: {name}": "含有指向外部的符号链接：{name}",
    "is a symbolic link that leads out: to {target}": "是指向外部的符号链接，指向 {target}",
    "goes through the symbolic link {name}": "路径经过符号链接 {name}",
    "is a whole root: name something in it, or end it with '/*'": (
        "是整个共享目录：请指定其中的内容，或以“/*”结尾"
    ),
    "lies deeper than {depth} levels": "目录层级超过 {depth} 层",
    "is a directory: name the file that is to be there": "是目录：请写明要存放的文件名",
    "is a directory: fetch the files in it one by one": "是目录：请逐个获取其中的文件",
    "is no regular file; only those can be fetched": "不是普通文件；只能获取普通文件",
    "is not there on this node; make that directory, or name another in the setting "
    "transfer.roots": "在该节点上不存在；请创建该目录，或在设置 transfer.roots 中改用其他目录",
    "cannot be made on this node: {problem}; make that directory, or name another in the setting "
    "transfer.roots": (
        "无法在该节点上创建：{problem}；请手动创建该目录，或在设置 transfer.roots 中改用其他目录"
    ),
}
"""Paths that may not be read or written."""

SOURCE_TEXTS = {
    "cannot be read: {problem}": "无法读取：{problem}",
    "matches nothing that can be cast": "没有匹配到可以传输的内容",
    "changed while it was cast: it {problem}": "在传输过程中发生了变化：{problem}",
    "vanished while it was cast": "在传输过程中消失",
    "shrank while it was cast": "在传输过程中变小",
    "grew while it was cast, from {before} to {after} bytes; cast it again when it is at rest": (
        "在传输过程中变大，从 {before} 字节变为 {after} 字节；请待其不再变化后重新传输"
    ),
    "shrank while it was cast, from {before} to {after} bytes; cast it again when it is at rest": (
        "在传输过程中变小，从 {before} 字节变为 {after} 字节；请待其不再变化后重新传输"
    ),
    "was replaced by another file while it was cast; cast it again when it is at rest": (
        "在传输过程中被换成了另一个文件；请待其不再变化后重新传输"
    ),
    "was written to while it was cast; cast it again when it is at rest": (
        "在传输过程中被写入；请待其不再变化后重新传输"
    ),
    "changed while it was sent; fetch it again": "在发送过程中发生了变化；请重新获取",
    "cannot be read at the source any more: it changed there, or vanished": (
        "在源节点上已无法读取：文件发生了变化，或已消失"
    ),
}
"""Source files that cannot be read, or do not stay as they are."""

TARGET_TEXTS = {
    "cannot be written: the disk is full": "无法写入：磁盘已满",
    "cannot be written: the quota of the disk is used up": "无法写入：磁盘配额已用完",
    "cannot be written: the file system is read-only": "无法写入：文件系统是只读的",
    "cannot be written: {problem}": "无法写入：{problem}",
    "may not be written by the user that CastRay runs as": "运行 CastRay 的用户没有写入权限",
    "is there already; choose overwrite, skip or rename": (
        "已存在；请选择覆盖（overwrite）、跳过（skip）或改名（rename）"
    ),
    "is there already, with other content; choose overwrite or rename": (
        "已存在且内容不同；请选择覆盖（overwrite）或改名（rename）"
    ),
    "needs a directory where there is {kind}": "需要目录，但该处是{kind}",
    "is a directory there; end the destination with '/' to put something in it": (
        "在目标节点上是目录；若要放入其中，请让目标路径以“/”结尾"
    ),
    "lies on another file system than what has arrived; cast to it directly": (
        "与已到达的内容不在同一个文件系统上；请直接传输到该处"
    ),
    "is one name for {count} things; end it with '/' for a directory": (
        "只是一个名称，而要存放的内容有 {count} 项；如果是目录，请以“/”结尾"
    ),
    "needs {needed} bytes, and the disk has {free} left": (
        "需要 {needed} 字节，而磁盘只剩 {free} 字节"
    ),
    "is damaged on this host's disk, twice in a row, though its blocks arrived right": (
        "连续两次在目标节点的磁盘上损坏，而各数据块到达时都正确"
    ),
    "is in use by another receiver of this cast": "正被该传输任务的另一个接收方使用",
    "must wait: {count} uploads are under way": "必须等待：已有 {count} 个上传正在进行",
    "is no upload that is going on here: begin it again": "不是正在进行的上传：请重新开始",
    "has {count} bytes so far: send those from there on first": (
        "目前只有 {count} 字节：请先发送其后的部分"
    ),
    "{count} of its files failed; the first: {problem}": "有 {count} 个文件失败；第一个：{problem}",
}
"""Targets that cannot be written."""

WAITING_TEXTS = {
    "goes on after a restart": "重新启动后继续",
    "it is tried again: {problem}": "正在重试：{problem}",
    "{places} casts at once are the most on {node}": "{node} 最多同时参与 {places} 个传输任务",
    "{places} casts at once are the most on {node} and {other}": (
        "{node} 和 {other} 最多同时参与 {places} 个传输任务"
    ),
    "the agent on {nodes} starts": "{nodes} 上的代理正在启动",
    "its agent is being replaced": "其代理正在更换",
    "{node} is not there": "找不到 {node}",
    "{node} is dead": "{node} 已停止",
    "{problem}, for {minutes} minutes; retry when that has changed": (
        "{problem}，已持续 {minutes} 分钟；情况改变后请重试"
    ),
    "{node} cannot connect to {peer}: {problem}": "{node} 无法连接到 {peer}：{problem}",
    "{node} cannot connect to {peer}: {problem}; mode auto goes through the head then": (
        "{node} 无法连接到 {peer}：{problem}；auto 模式在这种情况下会经头节点中转"
    ),
    "The head cannot connect to {peer} either: {problem}": "头节点也无法连接到 {peer}：{problem}",
    "{node} cannot verify {algorithm}, as this cast needs; cast to it on its own": (
        "{node} 无法进行该传输任务所需的 {algorithm} 校验；请单独向它传输"
    ),
    "The receiver was ended": "接收方已被结束",
    "The receiver gave up and did not say why": "接收方已放弃，没有说明原因",
}
"""What a target waits for, and why it waits no more."""

AGENT_TEXTS = {
    "did not start within {seconds} s": "在 {seconds} 秒内没有启动",
    "cannot be started: {problem}": "无法启动：{problem}",
    "did not answer {method} in {seconds} s": "在 {seconds} 秒内没有应答 {method}",
    "is gone: {problem}": "已不存在：{problem}",
    "met a fault of CastRay's: {fault}": "遇到 CastRay 的内部错误：{fault}",
    "met a fault of CastRay's: {fault}; its log has more": (
        "遇到 CastRay 的内部错误：{fault}；详情见其日志"
    ),
    "a fault of CastRay's: {fault}; the log has more": "CastRay 的内部错误：{fault}；详情见日志",
    "none of the ports {first} to {last} can be listened on ({problem}); change the setting "
    "transfer.port_range": (
        "端口 {first} 到 {last} 都无法监听（{problem}）；请修改设置 transfer.port_range"
    ),
    "gave no whole answer within {seconds} s": "在 {seconds} 秒内没有给出完整的应答",
    "does not answer: {problem}": "没有应答：{problem}",
    "answers with more than {limit} bytes": "应答超过 {limit} 字节",
    "does not know this key: it belongs to somebody else": "不认识这个密钥：它属于别人",
    "answers with status {status}, as no outpost of ours does": (
        "应答的状态码是 {status}，不像我们的前哨"
    ),
    "answers as no outpost of ours does": "应答不像我们的前哨",
    "tells of an error that is none of ours": "报告的错误不是 CastRay 的错误",
    "Files of other clusters need an outpost there, which the settings forbid: set "
    "transfer.outposts (CASTRAY_TRANSFER__OUTPOSTS) to on_demand": (
        "访问其他集群的文件需要在那里放置前哨，而设置不允许："
        "请将 transfer.outposts（CASTRAY_TRANSFER__OUTPOSTS）设为 on_demand"
    ),
    "runs our outpost, but not its agent on node {node}, which {problem}": (
        "有我们的前哨在运行，但节点 {node} 上没有它的代理：{problem}"
    ),
    "does not say where it answers": "没有说明在哪里应答",
    "has not answered for {seconds} s": "已有 {seconds} 秒没有应答",
    "is no address": "不是地址",
    "ran the job that installs an outpost, but it ended with {output}": (
        "运行了安装前哨的作业，但作业最后的输出是 {output}"
    ),
    "did not end the job {job} within {seconds} s": "没有在 {seconds} 秒内结束作业 {job}",
    "ended the job {job} as {status}: {output}": "作业 {job} 结束，状态为 {status}：{output}",
}
"""Agents that do not start, or do not answer."""

PEER_TEXTS = {
    "cannot be reached at {place}: {problem}": "在 {place} 无法连接：{problem}",
    "was lost: the connection {problem}": "连接中断：{problem}",
    "is no CastRay host, or of another version": "不是 CastRay 主机，或者版本不同",
    "does not take part in this cast, or not yet": "没有参与该传输任务，或者尚未参与",
    "sends no manifest of ours: {problem}": "发送的不是我们的清单：{problem}",
    "sent a digest of a wrong length": "发送的摘要长度不对",
    "sends block {block}, for which nobody asked": "发送了没有请求的数据块 {block}",
    "sends something else than block {block}": "发送的不是数据块 {block}",
    "sent {count} damaged blocks in a row: its disk, its memory or the network between changes "
    "bytes": "连续发送了 {count} 个损坏的数据块：其磁盘、内存或中间的网络改变了数据",
    "asks for what there is not: {problem}": "请求的内容不存在：{problem}",
    "sent a request with a wrong seal": "发送的请求签章有误",
    "sent a request twice": "重复发送了同一个请求",
    "has a ticket for {scope}, not {wanted}": "持有的是 {scope} 凭证，而不是 {wanted} 凭证",
    "has a ticket that expired, or that is valid for too long": "持有的凭证已过期，或有效期过长",
}
"""Other hosts of a cast that are gone, slow, or talk nonsense."""

TALK_TEXTS = {
    "was ended": "已被结束",
    "was restarted": "已重新启动",
    "received nothing for {seconds} s from anybody; what has arrived is kept, and a retry goes on "
    "from there": ("已有 {seconds} 秒没有从任何主机收到数据；已到达的部分会保留，重试时从那里继续"),
    "has no address yet": "还没有地址",
    "is still hashing what comes before that block": "仍在计算该数据块之前内容的摘要",
    "are on their way to others, who will have them soon": "正在发往其他接收方，它们很快就会收到",
    "sends fewer digests than it was asked for": "发送的摘要少于请求的数量",
    "sent nothing for too long": "过长时间没有发送任何数据",
    "was closed by the other side": "被对方关闭",
    "is too slow": "太慢",
    "announces {length} bytes where {limit} are the most": (
        "声明有 {length} 字节，而最多允许 {limit} 字节"
    ),
    "makes no sense: {problem}": "无法理解：{problem}",
    "has no readable ticket: {problem}": "没有可读的凭证：{problem}",
    "has a wrong seal: something between the hosts changes bytes": (
        "签章有误：主机之间有什么改变了数据"
    ),
    "has {length} bytes where {count} numbers belong": "有 {length} 字节，而应有 {count} 个数",
    "has unreadable segment heads: {problem}": "数据段的头部无法读取：{problem}",
    "has {pages} pages, none {number}": "共有 {pages} 页，没有第 {number} 页",
    "one of its pages is broken: {problem}": "其中一页已损坏：{problem}",
    "one of its pages is larger than {limit} bytes": "其中一页超过 {limit} 字节",
    "it names a file {path}": "其中有名为 {path} 的文件",
    "its link {path} leads out": "其中的链接 {path} 指向外部",
    "it gives {path} a size, and that is no file": "其中 {path} 有大小，但它不是文件",
    "its pages are not those that its header speaks of": "各页与其头部所述不符",
    "has no manifest to give: ask the source": "没有清单可以提供：请询问源",
    "has no page {number} to give: ask the source": "没有第 {number} 页可以提供：请询问源",
    "has no digests of block {block} to give: ask the source": (
        "没有数据块 {block} 的摘要可以提供：请询问源"
    ),
    "has no digest of entry {number} to give: ask the source": (
        "没有条目 {number} 的摘要可以提供：请询问源"
    ),
}
"""What is said of `PARTS`, and of nothing else."""

PARTS = {
    "cast": "传输任务",
    "source": "源",
    "receiver": "接收方",
    "the agent": "代理",
    "connection": "连接",
    "request": "请求",
    "reply": "应答",
    "message": "消息",
    "manifest": "清单",
    "blocks": "数据块",
}
"""What `TALK_TEXTS` are about: before any other text such a word is the name of a file."""

SUBJECTS = {
    "the agent on {node}": "{node} 上的代理",
    "the outpost on {cluster}": "{cluster} 上的前哨",
}
"""What any text may be about, besides paths, hosts and addresses, which are kept as they are."""

REQUEST_TEXTS = {
    "There is no {kind} {name}; list them to see the names and ids": (
        "没有名为 {name} 的{kind}；请先列出以查看名称和编号"
    ),
    "{name} fits {count} {kind}s: use one of {keys}": (
        "{name} 对应 {count} 个{kind}：请使用以下之一：{keys}"
    ),
    "{node} is dead: it can send nothing": "{node} 已停止：无法发送任何内容",
    "{node} is dead: it can receive nothing": "{node} 已停止：无法接收任何内容",
    "{node} is dead: its files cannot be reached": "{node} 已停止：无法访问其文件",
    "No live node but the source fits the targets: {targets}": (
        "除源节点外，没有在线节点符合目标：{targets}"
    ),
    "{text} is no selector: one reads like {example}; join several by ','": (
        "{text} 不是选择器：写法如 {example}；多个条件用“,”连接"
    ),
    "{node} is the source of {path} and a target of the same path: give it another destination, "
    "or leave it out": (
        "{node} 既是 {path} 的源，又是同一路径的目标：请为它换一个目标路径，或将它去掉"
    ),
    "Cast {cast} is {state}: it {problem}, so there is nothing to {action}": (
        "传输任务 {cast} 的状态是“{state}”：它{problem}，因此无法{action}"
    ),
    "A page has 1 to {most} casts, not {limit}": "一页有 1 到 {most} 个传输任务，不能是 {limit} 个",
    "{action} is no action: there are {known}": "{action} 不是可用的操作：可用的有 {known}",
    "{cursor} is no cursor of ours: leave it out to begin at the first page": (
        "{cursor} 不是我们的游标：不带游标即从第一页开始"
    ),
    "Changes since {since} do not fit a copy at {version}: ask for everything": (
        "自 {since} 起的变化与版本 {version} 的副本不符：请重新获取全部内容"
    ),
    "{text} is no version: one reads like {example}": "{text} 不是版本号：写法如 {example}",
    "Only a socket of /ws?mode=delta can resume from {version}": (
        "只有 /ws?mode=delta 的连接才能从 {version} 继续"
    ),
}
"""Requests that make no sense as they stand."""

CLUSTER_TEXTS = {
    "External clusters are turned off: set external_cluster.enabled (EXTERNAL_CLUSTER_ENABLED) "
    "and start CastRay again": (
        "外部集群功能已关闭：请设置 external_cluster.enabled（EXTERNAL_CLUSTER_ENABLED）"
        "并重新启动 CastRay"
    ),
    "{address} is the cluster that CastRay runs on; its nodes are shown already": (
        "{address} 就是 CastRay 所在的集群；其节点已经显示"
    ),
    "{text} is no address of a cluster: {problem}. One reads like 127.0.0.1:8265, "
    "http://host:8265, ray://host:10001, or host:6379 of its GCS": (
        "{text} 不是集群的地址：{problem}。写法如 127.0.0.1:8265、http://host:8265、"
        "ray://host:10001，或其 GCS 的 host:6379"
    ),
    "it is empty, too long or has spaces in it": "地址为空、过长或含有空格",
    "it has more than a host, a port and a path; give a token by itself": (
        "除主机、端口和路径外还有其他内容；令牌请单独提供"
    ),
    "it has a path, which only a dashboard's URL can have": "带有路径，而只有仪表板的网址可以有",
    "CastRay does not speak {scheme}": "CastRay 不支持 {scheme}",
    "no cluster listens on port 0": "没有集群监听端口 0",
    "{host} is neither a host name nor an IP address": "{host} 既不是主机名，也不是 IP 地址",
    "did not say within {seconds} s where its dashboard is": (
        "在 {seconds} 秒内没有说明其仪表板在哪里"
    ),
    "wants a token; connect with the cluster's own": "需要令牌；请用该集群自己的令牌连接",
    "wants a token; give the cluster's own": "需要令牌；请提供该集群自己的令牌",
    "refuses this token; connect with the cluster's own": (
        "拒绝了这个令牌；请用该集群自己的令牌连接"
    ),
    "refuses this token; give the cluster's own": "拒绝了这个令牌；请提供该集群自己的令牌",
    "wants a password, but not as Ray does; give a Ray dashboard's address": (
        "要求密码，但方式与 Ray 不同；请提供 Ray 仪表板的地址"
    ),
    "answers with a redirect; give the address that it leads to": (
        "应答是重定向；请提供它指向的地址"
    ),
    "fails to answer {path}, with status {status}": "无法应答 {path}，状态码为 {status}",
    "answers {path} with status {status}, as no Ray does": (
        "对 {path} 应答的状态码是 {status}，不像 Ray"
    ),
    "answers {path} as no Ray does: {fault}": "对 {path} 的应答不像 Ray：{fault}",
    "answers {path} with more than {limit} bytes": "对 {path} 的应答超过 {limit} 字节",
    "did not take a connection within {seconds} s": "在 {seconds} 秒内没有接受连接",
    "cannot be reached ({problem}); make sure that the cluster runs": (
        "无法连接（{problem}）；请确认集群正在运行"
    ),
    "cannot be reached; make sure that the cluster runs": "无法连接；请确认集群正在运行",
    "broke off its answer to {path}": "对 {path} 的应答中途中断",
    "does not speak HTTP; give the address of a Ray dashboard": (
        "不是 HTTP 服务；请提供 Ray 仪表板的地址"
    ),
    "is neither a Ray dashboard nor a GCS; check the port": (
        "既不是 Ray 仪表板，也不是 GCS；请检查端口"
    ),
    "does not say which dashboard belongs to it. Its host has several ({urls}); give the "
    "dashboard's URL": "没有说明哪个仪表板属于它。其主机上有多个（{urls}）；请提供仪表板的网址",
    "does not say which dashboard belongs to it. Its host shows none; give the dashboard's URL": (
        "没有说明哪个仪表板属于它。其主机上没有发现仪表板；请提供仪表板的网址"
    ),
    "names no dashboard that one could connect to": "给出的仪表板地址无法连接",
    "serves its dashboard to its own machine only; start its head with --dashboard-host=0.0.0.0, "
    "or give the address of a tunnel to the dashboard": (
        "其仪表板只对本机开放；请用 --dashboard-host=0.0.0.0 启动其头节点，"
        "或提供通向该仪表板的隧道地址"
    ),
    "is the dashboard of another cluster now, {session}": "现在是另一个集群 {session} 的仪表板",
    "gave no answer within {seconds} s": "在 {seconds} 秒内没有应答",
    "gave no answer as a GCS within {seconds} s": "在 {seconds} 秒内没有作为 GCS 应答",
    "does not answer as a GCS; check the port": "没有作为 GCS 应答；请检查端口",
    "answers over gRPC, but is no GCS; check the port": "以 gRPC 应答，但不是 GCS；请检查端口",
    "answers as a GCS, but not as Ray's does": "作为 GCS 应答，但不像 Ray 的 GCS",
    "is a Ray cluster without a dashboard; start it with --include-dashboard=true": (
        "是没有仪表板的 Ray 集群；请用 --include-dashboard=true 启动它"
    ),
    "cannot be found: no such host, or no name server answers; check the name": (
        "找不到：没有这个主机，或域名服务器没有应答；请检查名称"
    ),
    "is {address}, which {problem}": "对应 {address}：{problem}",
    "has not been read yet since CastRay started": "自 CastRay 启动以来还没有读取过",
    "{problem} It is tried again by itself": "{problem}。会自动重试",
    "{problem} Last seen {time}. It is tried again by itself": (
        "{problem}。最后一次应答：{time}。会自动重试"
    ),
    "It is connected, but not all of it can be read: {problem}": (
        "已连接，但并非全部内容都能读取：{problem}"
    ),
    "CastRay's connector does not report on this cluster; it comes back by itself": (
        "CastRay 的连接器没有报告该集群的情况；它会自动恢复"
    ),
    "CastRay's registry has not answered since {time}. It comes back by itself while the head node "
    "lives": "CastRay 注册中心自 {time} 起没有应答。只要头节点在线，它会自动恢复",
    "It was not ready after {seconds} s": "{seconds} 秒后仍未完成",
    "Processes that hide their command lines: {count}": "隐藏命令行的进程数：{count}",
    "Session directories of clusters that ended: {count}": "已结束的集群的会话目录数：{count}",
    "is an address that CastRay never connects to; give the host's own address": (
        "是 CastRay 从不连接的地址；请提供主机自己的地址"
    ),
    "is in none of external_cluster.allowed_networks, so CastRay does not connect to it; add its "
    "network there if it is yours": (
        "不在 external_cluster.allowed_networks 的任何网段之内，因此 CastRay 不会连接；"
        "如果是您自己的网段，请将其加入"
    ),
}
"""Other clusters that cannot be read."""

TEXTS = {
    **PATH_TEXTS,
    **SOURCE_TEXTS,
    **TARGET_TEXTS,
    **WAITING_TEXTS,
    **AGENT_TEXTS,
    **PEER_TEXTS,
    **REQUEST_TEXTS,
    **CLUSTER_TEXTS,
}
"""Everything that CastRay says of paths, hosts, clusters and requests."""

SYSTEM_TEXTS = {
    "Operation not permitted": "不允许的操作",
    "No such file or directory": "没有那个文件或目录",
    "Input/output error": "输入/输出错误",
    "Bad file descriptor": "文件描述符无效",
    "Cannot allocate memory": "内存不足",
    "Permission denied": "权限不足",
    "Device or resource busy": "设备或资源忙",
    "File exists": "文件已存在",
    "Invalid cross-device link": "跨文件系统的链接无效",
    "No such device": "没有那个设备",
    "Not a directory": "不是目录",
    "Is a directory": "是目录",
    "Invalid argument": "参数无效",
    "Too many open files in system": "系统打开的文件过多",
    "Too many open files": "打开的文件过多",
    "File too large": "文件过大",
    "No space left on device": "磁盘空间不足",
    "Read-only file system": "文件系统是只读的",
    "Too many links": "链接过多",
    "Broken pipe": "管道已断开",
    "File name too long": "文件名过长",
    "Directory not empty": "目录不为空",
    "Too many levels of symbolic links": "符号链接层级过多",
    "Address already in use": "地址已被占用",
    "Cannot assign requested address": "无法使用该地址",
    "Network is down": "网络已断开",
    "Network is unreachable": "网络不可达",
    "Software caused connection abort": "连接被本机中止",
    "Connection reset by peer": "连接被对方重置",
    "Connection timed out": "连接超时",
    "Connection refused": "连接被拒绝",
    "Host is down": "主机已关闭",
    "No route to host": "没有到主机的路由",
    "Stale file handle": "文件句柄已失效",
    "Disk quota exceeded": "超出磁盘配额",
    "timed out": "超时",
    "[Errno {number}] {problem}": "{problem}（errno {number}）",
    "Cannot connect to host {place} ssl:default [{problem}]": "无法连接到主机 {place}（{problem}）",
    "Connect call failed {place}": "连接 {place} 失败",
    "Server disconnected": "服务器断开了连接",
    "no port was given to listen on": "没有给出要监听的端口",
}
"""What the operating system and the HTTP client say, inside of other texts."""

WORDS = {
    "a file": "文件",
    "a directory": "目录",
    "a symbolic link": "符号链接",
    "a FIFO": "命名管道",
    "a socket": "套接字",
    "a device": "设备",
    "a file of an unknown kind": "未知类型的文件",
    "node": "节点",
    "cluster": "集群",
    "connected cluster": "已连接的集群",
    "cast": "传输任务",
    "queued": "排队中",
    "running": "传输中",
    "paused": "已暂停",
    "completed": "已完成",
    "partial": "部分完成",
    "failed": "失败",
    "cancelled": "已取消",
    "cancel": "取消",
    "pause": "暂停",
    "resume": "继续",
    "retry": "重试",
    "has ended": "已经结束",
    "neither runs nor waits": "既没有在传输，也没有在等待",
    "is not paused": "没有暂停",
    "has no target that failed or was cancelled": "没有失败或已取消的目标",
}
"""What only stands as a value in another text."""
