"""What `lead-signals serve` says when all is up: where to look, who the tenant is, and the runbook's curl ready to paste."""

from lead_signals.printable import printable
from lead_signals.tenancy.tenant import Tenant

_CURL = """curl -X POST {base_url}/webhooks/facebook -H "Content-Type: application/json" -H "X-Tenant-ID: {tenant_id}" -d '{{"object":"page","entry":[{{"message":"Cho tôi báo giá","sender_name":"Test","sender_id":"u1","post_id":"p1","comment_id":"c1"}}]}}'"""

_ONBOARD = """curl -X POST {base_url}/onboarding -H "Content-Type: application/json"{key} -d '{{"tenant_name":"Công ty ABC","industry":"Cơ khí","brand_tone":"Thân thiện","main_services":["Gia công CNC"],"target_customer":"Nhà máy","cta_style":"Mời để lại số điện thoại"}}'"""

_KEY = ' -H "Authorization: Bearer $OPERATOR_API_KEY"'  # never the key itself: the terminal remembers what it showed

_SIGN = "\nFACEBOOK_APP_SECRET đang được đặt, nên lệnh trên còn thiếu header X-Hub-Signature-256 (secret is set: sign the body; see the runbook)."


def welcome(base_url: str, tenant: Tenant | None, *, log_path: str | None, must_be_signed: bool = False, needs_key: bool = False) -> str:
    """The lines to print, Vietnamese first.

    `must_be_signed`: the curl as it stands would be refused, and we say so. `needs_key`: onboarding wants the operator's key.
    """
    lines = ["", "Lead Signals đã sẵn sàng (ready).", ""]
    if tenant is None:
        lines += [
            f"  Bảng điều khiển (console):  {base_url}/",
            "",
            "Chưa có tenant nào. Tạo tenant đầu tiên (no tenant yet; create the first one):",
            "",
            _ONBOARD.format(base_url=base_url, key=_KEY if needs_key else ""),
        ]
    else:
        lines += [
            f"  Bảng điều khiển (console):  {base_url}/?tenant_id={tenant.id}",
            f"  Tenant:                     {tenant.id}  {printable(tenant.name)}",
            "",
            "Gửi thử một bình luận (send a comment):",
            "",
            _CURL.format(base_url=base_url, tenant_id=tenant.id),
            *([_SIGN] if must_be_signed else []),
        ]
    lines += ["", *([f"Nhật ký (log): {log_path}"] if log_path else []), "Dừng: Ctrl-C (stop).", ""]
    return "\n".join(lines)
