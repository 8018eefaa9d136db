"""What the person who asked is told of people's decision, by language: short, kind, and never what was found.

It tells our mistake (the picture was stopped, or drawn, wrongly) from what was asked for, which another wording mends.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from gatepost_server.domain.answer import Answer, Ground
from gatepost_server.domain.labels import Decision
from gatepost_server.policy.messages import closest_locale


class Words(StrEnum):
    """What there are words for."""

    LOOKING_AGAIN = "looking_again"
    READY = "ready"
    GRANTED = "granted"  # stopping it was our mistake
    STOPPED = "stopped"
    STOPPED_PICTURE = "stopped_picture"  # the generator's mistake, hence ours
    STOPPED_REQUEST = "stopped_request"
    STAYS = "stays"  # the three above, after an appeal
    STAYS_PICTURE = "stays_picture"
    STAYS_REQUEST = "stays_request"


ANSWERS: Mapping[str, Mapping[Words, str]] = {
    "en": {
        Words.LOOKING_AGAIN: "Thank you for telling us. Somebody will look at your picture again, and you will hear "
        "from us.",
        Words.READY: "Thank you for waiting. Your picture is ready.",
        Words.GRANTED: "Thank you for telling us. We looked again: there is nothing wrong with your picture, and not "
        "showing it was our mistake. We are sorry. It is ready now.",
        Words.STOPPED: "Somebody looked at your picture, and we are not showing this one. Please try again; a fresh "
        "attempt usually works.",
        Words.STOPPED_PICTURE: "Somebody looked at your picture. It did not come out the way you asked: that was our "
        "mistake, not yours. Please try again; a fresh attempt usually works.",
        Words.STOPPED_REQUEST: "Somebody looked at your picture. Pictures of what was asked for cannot be shown here. "
        "Asking for it in other words may well work.",
        Words.STAYS: "Thank you for telling us. Somebody looked again, and we are still not showing this picture. "
        "Please try again; a fresh attempt usually works.",
        Words.STAYS_PICTURE: "Thank you for telling us. Somebody looked again: the picture did not come out the way "
        "you asked. That was our mistake, not yours, and we are sorry. This one stays hidden; please try again.",
        Words.STAYS_REQUEST: "Thank you for telling us. Somebody looked again: pictures of what was asked for cannot "
        "be shown here. Asking for it in other words may well work.",
    },
    "zh": {
        Words.LOOKING_AGAIN: "谢谢您告诉我们。我们会请人再看一次您的图片，并把结果告诉您。",
        Words.READY: "感谢您的等待，您的图片已经可以查看了。",
        Words.GRANTED: "谢谢您告诉我们。我们重新看过了：您的图片没有问题，没有展示是我们的失误，"
        "非常抱歉。现在可以查看了。",
        Words.STOPPED: "我们已请人看过您的图片，这一张暂不展示。请再试一次，通常重新生成即可。",
        Words.STOPPED_PICTURE: "我们已请人看过您的图片：它没有按您的要求生成，这是我们的失误，与您无关。请再试一次，"
        "通常重新生成即可。",
        Words.STOPPED_REQUEST: "我们已请人看过您的图片：这类要求的图片无法在这里展示，换一种说法也许就可以。",
        Words.STAYS: "谢谢您告诉我们。我们已请人重新看过，这张图片仍然暂不展示。请再试一次，通常重新生成即可。",
        Words.STAYS_PICTURE: "谢谢您告诉我们。我们已请人重新看过：图片没有按您的要求生成，这是我们的失误，与您无关，"
        "非常抱歉。这一张不会展示，请再试一次。",
        Words.STAYS_REQUEST: "谢谢您告诉我们。我们已请人重新看过：这类要求的图片无法在这里展示，换一种说法也许就可以。",
    },
    "zh-Hant": {
        Words.LOOKING_AGAIN: "謝謝您告訴我們。我們會請人再看一次您的圖片，並把結果告訴您。",
        Words.READY: "感謝您的等待，您的圖片已經可以查看了。",
        Words.GRANTED: "謝謝您告訴我們。我們重新看過了：您的圖片沒有問題，沒有展示是我們的失誤，"
        "非常抱歉。現在可以查看了。",
        Words.STOPPED: "我們已請人看過您的圖片，這一張暫不展示。請再試一次，通常重新生成即可。",
        Words.STOPPED_PICTURE: "我們已請人看過您的圖片：它沒有按您的要求生成，這是我們的失誤，與您無關。請再試一次，"
        "通常重新生成即可。",
        Words.STOPPED_REQUEST: "我們已請人看過您的圖片：這類要求的圖片無法在這裡展示，換一種說法也許就可以。",
        Words.STAYS: "謝謝您告訴我們。我們已請人重新看過，這張圖片仍然暫不展示。請再試一次，通常重新生成即可。",
        Words.STAYS_PICTURE: "謝謝您告訴我們。我們已請人重新看過：圖片沒有按您的要求生成，這是我們的失誤，與您無關，"
        "非常抱歉。這一張不會展示，請再試一次。",
        Words.STAYS_REQUEST: "謝謝您告訴我們。我們已請人重新看過：這類要求的圖片無法在這裡展示，換一種說法也許就可以。",
    },
}

_STOPPED = {None: Words.STOPPED, Ground.PICTURE: Words.STOPPED_PICTURE, Ground.REQUEST: Words.STOPPED_REQUEST}
_STAYS = {None: Words.STAYS, Ground.PICTURE: Words.STAYS_PICTURE, Ground.REQUEST: Words.STAYS_REQUEST}


def answer_message(answer: Answer, locale: str) -> tuple[str, str] | None:
    """(locale, text) in the language closest to `locale`; None where the verdict's own message says it still."""
    words = _words(answer)
    if words is None:
        return None
    chosen = closest_locale(locale, tuple(ANSWERS))
    return chosen, ANSWERS[chosen][words]


def _words(answer: Answer) -> Words | None:
    if answer.decision is Decision.ALLOW:
        return Words.GRANTED if answer.granted else Words.READY
    if answer.decision is Decision.BLOCK:
        return (_STAYS if answer.appealed else _STOPPED)[answer.ground]
    return Words.LOOKING_AGAIN if answer.appealed else None
