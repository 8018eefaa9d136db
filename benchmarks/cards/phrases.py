"""What the cards say."""

# ruff: noqa: E501 - one row of phrases a line

from __future__ import annotations

CHINESE_SHORT = (
    "新春大吉", "阖家欢乐", "步步高升", "金榜题名", "百年好合", "早生贵子", "龙马精神", "财源广进", "岁岁平安", "笑口常开",
    "端午安康", "元宵喜乐", "福寿双全", "鹏程万里", "吉祥如意", "前程似锦", "喜结良缘", "学业有成", "出入平安", "仕途顺遂",
)  # fmt: skip
CHINESE_LONG = (
    "愿你三冬暖，愿你春不寒", "感恩有您一路相伴", "祝外婆身体硬朗笑口常开", "新的一岁要更加勇敢", "愿时光温柔待你如初",
    "谢谢老师的辛勤栽培", "但愿人长久，千里共婵娟", "祝我们的友谊天长地久", "今年的烟花为你而放", "把所有的祝福都送给你",
)  # fmt: skip
ENGLISH_SHORT = (
    "Happy Anniversary", "Warm Wishes", "Welcome Baby", "Bon Voyage", "Well Done", "Happy Easter", "Miss You",
    "Just Married", "Sweet Sixteen", "Happy Holidays",
)  # fmt: skip
ENGLISH_LONG = (
    "Thank you for being my friend", "May your day be filled with love", "Here is to another great year",
    "Sending hugs from far away", "Every moment with you matters", "So proud of all you have done",
)  # fmt: skip
MIXED = (
    "Happy 春节 2026", "祝 Emma 新婚快乐", "I love 爸爸", "Dear 老师 Thank You", "Class of 2026 毕业啦", "Baby 满月之喜",
    "Good Luck 高考加油", "Merry 圣诞 & 元旦快乐",
)  # fmt: skip
COUPLETS = (
    ("瑞雪纷飞辞旧岁", "春风浩荡入新年", "喜迎新春"), ("门迎百福福星照", "户纳千祥祥云开", "福满人间"),
    ("天地和顺家添财", "平安如意人多福", "四季平安"), ("五湖四海皆春色", "万水千山尽得辉", "万象更新"),
    ("日出江花红胜火", "春来江水绿如蓝", "鸟语花香"), ("大地流金万事通", "冬去春来万象新", "欢度春节"),
)  # fmt: skip
POEMS = (
    ("床前明月光", "疑是地上霜", "举头望明月", "低头思故乡"), ("春眠不觉晓", "处处闻啼鸟", "夜来风雨声", "花落知多少"),
    ("白日依山尽", "黄河入海流", "欲穷千里目", "更上一层楼"), ("空山新雨后", "天气晚来秋", "明月松间照", "清泉石上流"),
)  # fmt: skip
