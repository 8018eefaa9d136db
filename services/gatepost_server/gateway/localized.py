"""What a person may be told when a request failed (google.rpc.LocalizedMessage), by reason and language.

For the people behind the calling application: short, without blame, without technical words.
"""

from __future__ import annotations

from collections.abc import Mapping

from gatepost_server.domain.errors import ErrorReason
from gatepost_server.policy.messages import closest_locale

_AGAIN = {
    "en": "We could not check this picture just now. Please try again in a moment.",
    "zh": "暂时无法检查这张图片，请稍后再试。",
}
_UNREADABLE = {
    "en": "This picture file cannot be opened. Please try another one.",
    "zh": "无法打开这个图片文件，请换一张试试。",
}
_TOO_BIG = {
    "en": "This picture is too large. Please try a smaller one.",
    "zh": "这张图片太大了，请换一张小一些的。",
}
_NO_PICTURE = {
    "en": "No picture was received. Please send it again.",
    "zh": "没有收到图片，请重新发送。",
}
_NOT_FETCHED = {
    "en": "The picture could not be fetched. Please send it again.",
    "zh": "无法获取这张图片，请重新发送。",
}
_TOO_MUCH_TEXT = {
    "en": "The text is too long. Please shorten it.",
    "zh": "文字太长了，请缩短后再试。",
}
_NOT_UNDERSTOOD = {
    "en": "Something in this request was not understood. Please try again.",
    "zh": "请求中有无法识别的内容，请再试一次。",
}
_TOO_MANY = {
    "en": "Too many pictures were sent for now. Please try again later.",
    "zh": "目前发送的图片太多了，请稍后再试。",
}
_BEING_LOOKED_AT = {
    "en": "Somebody else is looking at this picture.",
    "zh": "其他人正在查看这张图片。",
}
_DECIDED = {
    "en": "There is nothing left to decide about this picture.",
    "zh": "这张图片没有待决定的事项。",
}
_APPEALED = {
    "en": "Your message about this picture was received before. We will tell you as soon as somebody has looked at it.",
    "zh": "我们已收到您关于这张图片的留言，有人查看后会尽快告诉您。",
}
_NOTHING_STOPPED = {
    "en": "There is nothing to look at again: nobody has decided against this picture.",
    "zh": "这张图片没有被拒绝，无需再次查看。",
}
_NOT_FOUND = {
    "en": "There is no such result, or it is no longer kept.",
    "zh": "找不到该结果，或结果已不再保存。",
}

MESSAGES: Mapping[ErrorReason, Mapping[str, str]] = {
    # The person who asked cannot mend what is wrong between the application and us.
    ErrorReason.UNAUTHENTICATED: _AGAIN,
    ErrorReason.ISSUER_UNAVAILABLE: _AGAIN,
    ErrorReason.ROLE_MISSING: _AGAIN,
    ErrorReason.TENANT_UNKNOWN: _AGAIN,
    ErrorReason.RATE_LIMITED: _TOO_MANY,
    ErrorReason.QUOTA_EXCEEDED: _TOO_MANY,
    ErrorReason.IMAGE_MISSING: _NO_PICTURE,
    ErrorReason.IMAGE_EMPTY: _NO_PICTURE,
    ErrorReason.IMAGE_TOO_LARGE: _TOO_BIG,
    ErrorReason.IMAGE_TOO_MANY_PIXELS: _TOO_BIG,
    ErrorReason.IMAGE_SIDE_TOO_LONG: _TOO_BIG,
    ErrorReason.IMAGE_TOO_MANY_FRAMES: _TOO_BIG,
    ErrorReason.IMAGE_ZERO_SIZE: _UNREADABLE,
    ErrorReason.IMAGE_FORMAT_UNSUPPORTED: _UNREADABLE,
    ErrorReason.IMAGE_TRUNCATED: _UNREADABLE,
    ErrorReason.IMAGE_CORRUPT: _UNREADABLE,
    ErrorReason.IMAGE_METADATA_TOO_LARGE: _UNREADABLE,
    ErrorReason.IMAGE_URI_NOT_ALLOWED: _NOT_FETCHED,
    ErrorReason.IMAGE_URI_UNREACHABLE: _NOT_FETCHED,
    ErrorReason.TEXT_NOT_UTF8: _NOT_UNDERSTOOD,
    ErrorReason.TEXT_TOO_LONG: _TOO_MUCH_TEXT,
    ErrorReason.TOO_MANY_ITEMS: _NOT_UNDERSTOOD,
    ErrorReason.FIELD_INVALID: _NOT_UNDERSTOOD,
    ErrorReason.LOCALE_UNKNOWN: _NOT_UNDERSTOOD,
    ErrorReason.POLICY_UNKNOWN: _NOT_UNDERSTOOD,
    ErrorReason.REQUEST_ID_DUPLICATE: _NOT_UNDERSTOOD,
    ErrorReason.VERDICT_UNKNOWN: _NOT_FOUND,
    ErrorReason.OVERLOADED: _AGAIN,
    ErrorReason.BACKLOG_FULL: _AGAIN,
    ErrorReason.RECORD_FULL: _AGAIN,
    ErrorReason.CLAIMED_BY_OTHER: _BEING_LOOKED_AT,
    ErrorReason.NOTHING_TO_DECIDE: _DECIDED,
    ErrorReason.ESCALATED: _BEING_LOOKED_AT,
    ErrorReason.NOT_TO_UNDO: _DECIDED,
    ErrorReason.ALREADY_APPEALED: _APPEALED,
    ErrorReason.NOTHING_TO_APPEAL: _NOTHING_STOPPED,
    ErrorReason.IMAGE_ALLOWED: _DECIDED,
    ErrorReason.NOT_TO_RELEASE: _AGAIN,
    ErrorReason.BANK_OFF: _AGAIN,
    ErrorReason.RECORD_OFF: _NOT_FOUND,
    ErrorReason.STORE_UNAVAILABLE: _AGAIN,
    ErrorReason.TICKETS_OFF: _NOT_FOUND,
    ErrorReason.TICKETS_UNAVAILABLE: _AGAIN,
    ErrorReason.DRAINING: _AGAIN,
    ErrorReason.DEADLINE: _AGAIN,
    ErrorReason.MODEL_SERVER_UNAVAILABLE: _AGAIN,
    ErrorReason.MODELS_NOT_TRUSTED: _AGAIN,
    ErrorReason.MODEL_OUTPUT_INVALID: _AGAIN,
    ErrorReason.MODEL_FAILED: _AGAIN,
    ErrorReason.INTERNAL: _AGAIN,
}


def localized_message(reason: ErrorReason, locale: str) -> tuple[str, str]:
    """(locale, text) in the language closest to `locale`, which may be anything; English where none is close."""
    texts = MESSAGES[reason]
    try:
        chosen = closest_locale(locale, tuple(texts))
    except (ValueError, AttributeError):  # the locale itself may be what is wrong with the request
        chosen = "en"
    return chosen, texts[chosen]
