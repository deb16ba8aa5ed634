"""What people write below the posts of a Page, with and without diacritics: about a third of it wants something now.

Each sentence comes with each opening, so that a reader of texts meets the same one seldom enough not to live on its memory.
"""

SENTENCES = (
    # Somebody wants something now.
    "Cho mình xin báo giá in 500 túi giấy có logo với ạ",
    "ib gia giup minh voi shop oi",
    "Giá sỉ 200 cái là bao nhiêu vậy bạn?",
    "Máy này bao nhiêu tiền vậy shop",
    "Bên em báo giá giúp anh gói thi công nội thất căn hộ 75m2 nhé",
    "Mình muốn đặt mua 3 bộ, gửi về Cần Thơ được không?",
    "Anh chốt 2 thùng nhé, giao trước thứ sáu",
    "Gọi lại cho mình số 0912 345 678 nha, cần gấp",
    "Tư vấn cho chị qua số 0987654321, chị rảnh sau 5 giờ chiều",
    "Cho mình đăng ký dùng thử phần mềm với",
    "Bên bạn demo hệ thống cho công ty mình được không, khoảng 20 người dùng",
    "Đặt hàng hai tuần rồi chưa thấy giao, shop làm ăn kiểu gì vậy",
    "Hàng nhận về bị vỡ một góc, nhắn tin không ai trả lời, thất vọng quá",
    "sao goi hotline hoai khong ai bat may vay, minh muon khieu nai",
    "Gửi báo giá vào mail thuhang.kho@congtyvidu.vn giúp mình nhé",
    "Xin giá lắp đặt trọn gói cho nhà xưởng 1.200 m2 ở Bình Dương",
    # Somebody asks, or says what only a person understands.
    "Cửa hàng mở cửa đến mấy giờ vậy ạ?",
    "Có ship ra Phú Quốc không shop",
    "Mẫu này còn màu xanh rêu không bạn ơi",
    "bao hanh may nam vay shop",
    "Sản phẩm này dùng cho da nhạy cảm được không ạ",
    "Bên mình có chi nhánh ở Đà Nẵng không?",
    "Cái này khác gì với bản năm ngoái vậy mọi người",
    "Kích thước bao nhiêu vậy ạ, để vừa góc 1m2 không",
    "Chất liệu là gỗ gì thế bạn",
    "Mình ở Lào Cai thì mấy ngày nhận được hàng?",
    "Có xuất hoá đơn đỏ cho công ty không shop",
    "Khi nào có hàng lại vậy ạ, hôm trước hỏi thì hết size M",
    "Dạ cho em hỏi máy này chạy điện 3 pha hay 1 pha ạ",
    "Hôm qua mình có ghé mà đông quá",
    ". ",
    "Hoa ơi vào xem này, hợp với phòng khách nhà bà đấy",
    "Nhà mình đang tính làm lại cái bếp, để bàn với ông xã đã",
    "Hình như bên này trước ở đường Nguyễn Văn Cừ đúng không",
    "Ủa sao không thấy nói gì về phần bảo trì hết vậy",
    "Để cuối tháng lãnh lương rồi tính tiếp",
    # Somebody is only being nice, or only there.
    "Cảm ơn shop nhiều nha, hàng đẹp lắm",
    "Cám ơn bạn tư vấn nhiệt tình",
    "Đẹp quá trời luôn ❤️❤️",
    "Tuyệt vời",
    "Hóng ngày khai trương 🎉",
    "Chúc shop buôn may bán đắt",
    "ủng hộ bạn nè 👍",
    "Xịn xò quá anh em ơi",
    "cam on ad da chia se",
    "Nhìn thích thật sự",
    "Bài viết hay và hữu ích, đã lưu lại",
    "Chấm hóng",
)

OPENINGS = ("", "Shop ơi, ", "ad oi ", "Alo ", "Chào bạn, ")

NAMES = (
    "Trịnh Gia Hân",
    "Vũ Đức Thịnh",
    "Phan Thị Ngọc Ánh",
    "Đoàn Quốc Bảo",
    "Hồ Yến Nhi",
    "Lý Minh Khôi",
    "Tạ Thu Hiền",
    "Châu Hoàng Long",
    "Mai Xuân Trường",
    "Ngô Bích Trâm",
)
